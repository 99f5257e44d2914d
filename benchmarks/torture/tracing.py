"""Runs a command under strace, and reads what it did."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STRACE: Final = shutil.which("strace")
NEVER: Final = 10**9
"""The line on which a call ended that did not end."""

_WHOLE: Final = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>.*)")
_BEGUN: Final = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<arguments>.*) <unfinished \.\.\.>")
_ENDED: Final = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<arguments>.*)\) += (?P<result>.*)")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call as strace prints it, with the lines on which it began and ended."""

    name: str
    arguments: str
    result: str
    """"?" where the process died in it."""
    began: int
    ended: int

    @property
    def succeeded(self) -> bool:
        return self.result[:1].isdigit()

    @property
    def paths(self) -> list[str]:
        """What its descriptors were open on, in their order."""
        return re.findall(r"[\dD]<([^>]*)>", self.arguments)

    @property
    def names(self) -> list[str]:
        """Its strings, in their order."""
        return re.findall(r'"((?:[^"\\]|\\.)*)"', self.arguments)


def available() -> bool:
    """Whether strace is here and may trace, which a container may forbid."""
    return bool(STRACE) and subprocess.run([STRACE or "", "-o", "/dev/null", "true"], check=False).returncode == 0  # noqa: S603 - a tool of the system


def traced(command: Sequence[str | Path], calls: Sequence[str], *injections: str) -> list[Call]:
    """The calls of these names that a command and its children made; it may fail, or be killed by an injection."""
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        # With seccomp strace is faster, and injects nothing.
        tampering = [f"--inject={injection}" for injection in injections] or ["--seccomp-bpf"]
        options = ["-f", "-y", "-s", "9000", "-e", "signal=none", "-e", "trace=" + ",".join(calls), *tampering]
        subprocess.run(  # noqa: S603 - our own command under strace
            [STRACE or "strace", "-o", log, *options, "--", *command], check=False, stdin=subprocess.DEVNULL
        )
        return sorted(_parsed(log.read_text(errors="replace").splitlines()), key=lambda call: call.began)


def _parsed(lines: Sequence[str]) -> Iterator[Call]:
    begun: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(lines):
        if found := _BEGUN.fullmatch(line):
            begun[found["pid"]] = found["name"], found["arguments"], number
        elif (found := _ENDED.fullmatch(line)) and found["pid"] in begun:
            name, arguments, began = begun.pop(found["pid"])
            yield Call(name, arguments + found["arguments"], found["result"], began, number)
        elif found := _WHOLE.fullmatch(line):
            ended = NEVER if found["result"].startswith("?") else number
            yield Call(found["name"], found["arguments"], found["result"], number, ended)
    for name, arguments, began in begun.values():
        yield Call(name, arguments, "?", began, NEVER)
