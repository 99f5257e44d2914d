"""strace on a process that was forked from this one and waits: from its first call on every call counts."""

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.torture.driving import ended, forked, one_thread
from benchmarks.torture.site import Site

STRACE: Final = shutil.which("strace")
_PATIENCE: Final = 120.0
"""Seconds."""
_LINE: Final = re.compile(r"(?P<name>\w+)\((?P<arguments>.*?)(?:\) += (?P<result>.*)| <unfinished \.\.\.>)")
_PLACE: Final = re.compile(r"(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>")
_STRING: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """A system call as it was made."""

    name: str
    ordinal: int
    """Counts the calls of this name from 1, as strace's `when=` does."""
    places: tuple[str, ...]
    """What its descriptors stood for at that moment, in their order."""
    strings: tuple[bytes, ...]
    arguments: str
    """As strace prints them, strings in hexadecimal."""
    result: str
    """Empty where the process died in it."""

    @property
    def is_injected(self) -> bool:
        return self.result.endswith("(INJECTED)") or not self.result

    @property
    def paths(self) -> list[str]:
        """Every path that it is about: names are joined to the folder before them."""
        names = [os.fsdecode(string) for string in self.strings]
        if not self.name.endswith("at") and self.name != "renameat2":
            return [*self.places, *(name for name in names if name.startswith("/"))]
        return [str(Path(place, name)) for place, name in zip(self.places, names, strict=False)] or [*self.places]


@dataclass(frozen=True, slots=True)
class Trial:
    """A process's exit code (minus a signal's number) and the calls that it made, in their order."""

    code: int
    calls: list[Call]

    def below(self, folder: Path) -> list[Call]:
        """The calls that are about files below a folder."""
        return [call for call in self.calls if any(path.startswith(f"{folder}/") for path in call.paths)]


def attached(site: Site, work: Callable[[], int], *injections: str, during: Callable[[], None] | None = None) -> Trial:
    """Runs work in a process with one thread under strace, with what is to be injected (strace's `-e inject=`).

    Where an injection stops the process (`signal=STOP`), `during` is called and it goes on.
    """
    log = site.folder / "strace.log"
    process = forked(site, lambda: _waiting(work))
    _stopped(process)
    tampering = [word for injection in injections for word in ("-e", f"inject={injection}")]
    command = ["strace", "-y", "-xx", "-s", "1000000", "-e", "trace=%file,%desc", "-e", "signal=none"]
    tracer = subprocess.Popen(  # noqa: S603 - ours
        [*command, *tampering, "-o", str(log), "-p", str(process)], stderr=subprocess.PIPE, text=True
    )
    with tracer:
        if not tracer.stderr or "attached" not in (told := tracer.stderr.readline()):
            os.kill(process, signal.SIGKILL)
            raise RuntimeError(f"strace cannot attach: {told}")
        os.kill(process, signal.SIGCONT)
        if during:
            _stopped(process)
            during()
            os.kill(process, signal.SIGCONT)
        code = _ended_in_time(process, tracer)
    return Trial(code, list(_calls(log.read_text().splitlines())))


def _waiting(work: Callable[[], int]) -> int:
    one_thread()
    os.kill(os.getpid(), signal.SIGSTOP)
    return work()


def _stopped(process: int) -> None:
    _, status = os.waitpid(process, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise RuntimeError(f"the process ended before it stopped: {os.waitstatus_to_exitcode(status)}")


def _ended_in_time(process: int, tracer: subprocess.Popen[str]) -> int:
    """One that hangs is killed, which its exit code tells."""
    try:
        tracer.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        os.kill(process, signal.SIGKILL)
    return ended(process)


def _calls(lines: Sequence[str]) -> Iterator[Call]:
    made: Counter[str] = Counter()
    for line in lines:
        if found := _LINE.fullmatch(line):
            made[found["name"]] += 1
            yield Call(
                found["name"],
                made[found["name"]],
                tuple(os.fsdecode(_bytes(place)) for place in _PLACE.findall(found["arguments"])),
                tuple(_bytes(string) for string in _STRING.findall(found["arguments"])),
                found["arguments"],
                found["result"] or "",
            )


def _bytes(printed: str) -> bytes:
    return bytes.fromhex(printed.replace("\\x", ""))
