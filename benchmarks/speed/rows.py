"""Rows of Markdown: what was measured, and what it should be."""

import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("torch", "openvino", "pillow")


def begin() -> None:
    """Tells where this runs and begins the table."""
    load, _, _ = os.getloadavg()
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores ({_processor()}), load {load:.1f}, {', '.join(map(_package, _PACKAGES))}\n")
    row("what", "measured", "target", "command")
    row(*["---"] * 4)


def told(what: str, measured: str, target: str) -> None:
    """One row; the command is the one that runs."""
    row(what, measured, target, f"`{_command()}`")


def row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _command() -> str:
    name = Path(sys.argv[0]).stem
    return " ".join(["python -m", f"benchmarks.speed.{name}", *sys.argv[1:]])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"
