"""A command's run, and what it took."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FRAMEKEEP: Final = Path(sys.executable).with_name("framekeep")
_PARTIAL: Final = 3


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and what it cost, its children included."""

    output: str
    seconds: float
    processor: float
    """Seconds of one processor."""
    mib: float
    """Resident, of the largest process at its largest."""


def ran(command: Sequence[str | Path]) -> Ran:
    """Ends this script with what the command says where it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as complaint:
        process = subprocess.Popen(command, stdout=output, stderr=complaint)  # noqa: S603 - our own commands
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        complaint.seek(0)
        if process.returncode not in (0, _PARTIAL):
            sys.exit(f"{' '.join(map(str, command))}\n{complaint.read()}")
        output.seek(0)
        return Ran(output.read(), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def papers_way(folder: Path, *detector: str) -> dict[str, float]:
    """What paper.py tells of a folder."""
    told: dict[str, float] = json.loads(ran(script("paper", folder, *detector)).output)
    return told


def script(name: str, *arguments: str | Path) -> list[str | Path]:
    """A script of this folder as a command."""
    return [sys.executable, "-m", f"benchmarks.speed.{name}", *arguments]
