"""A daemon that runs on a site, watched from outside."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.speed.running import FRAMEKEEP
from benchmarks.speed.site import Site

_LOOK_SECONDS: Final = 0.2
_PATIENCE: Final = 3600.0
_SCHEDULED: Final = 2
"""Beside a process's number, its bits turned, in the number of the clock that counts its processor time in ns."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """`framekeep run`, the installed command with the real model."""

    site: Site
    process: subprocess.Popen[bytes]

    def state(self) -> dict[str, Any]:
        """As it tells of itself; empty before it serves."""
        file = self.site.folder / "var" / "run" / "state.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def decided(self) -> int:
        state = self.state()
        return sum(state.get(name, 0) for name in ("replaced", "kept", "skipped", "failed"))

    def mib(self, line: str = "VmRSS") -> float:
        """Resident memory, or another line of its status; its squeezers are processes of their own."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (found,) = (text for text in status.splitlines() if text.startswith(f"{line}:"))
        return int(found.split()[1]) / 1024

    def processor(self) -> float:
        """Seconds so far, without its children's."""
        return time.clock_gettime((~self.process.pid << 3) | _SCHEDULED)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Ends this script where the daemon has ended, or nothing comes of it."""
        give_up = time.monotonic() + _PATIENCE
        while not condition():
            if self.process.poll() is not None or time.monotonic() > give_up:
                sys.exit((self.site.folder / "log").read_text(encoding="utf-8"))
            time.sleep(_LOOK_SECONDS)


@contextmanager
def serving(site: Site) -> Iterator[Daemon]:
    """Serves when this begins; ends it with SIGTERM."""
    with (site.folder / "log").open("wb") as log:
        command: list[str | Path] = [FRAMEKEEP, "run", "--config", site.config]
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - ours
        daemon = Daemon(site, process)
        try:
            daemon.wait(lambda: bool(daemon.state()))
            yield daemon
        finally:
            process.terminate()
            process.wait()
