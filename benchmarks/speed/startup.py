"""What starting costs: commands that only read, on a small ledger, and the first decision of a cold sweep.

usage: python -m benchmarks.speed.startup

Each command runs five times, the middle one counts. "Cold": a new process; files are in the page cache.
"""

import subprocess
import time
from datetime import UTC, datetime
from typing import Final

from benchmarks.speed import album
from benchmarks.speed.filling import fill_with_replacements
from benchmarks.speed.rows import begin, median, told
from benchmarks.speed.running import FRAMEKEEP
from benchmarks.speed.site import Site, made

_ROUNDS: Final = 5
_COMMANDS: Final = ((("report", "--help"), "≤ 0.4 s"), (("status",), "≤ 0.8 s"), (("report",), "≤ 0.8 s"))
_DECISIONS: Final = 1000
_PICTURES: Final = 20
_LOOK_SECONDS: Final = 0.01


def main() -> None:
    begin()
    with made() as site:
        fill_with_replacements(site, _DECISIONS, datetime(2026, 3, 1, tzinfo=UTC))
        for command, target in _COMMANDS:
            ran = [site.framekeep(*command) for _ in range(_ROUNDS)]
            seconds, spent = (median(getattr(one, name) for one in ran) for name in ("seconds", "processor"))
            told(f"`{' '.join(command)}`", f"{seconds:.2f} s (processor time: {spent:.2f})", target)
    told("first decision of a cold sweep", f"{median(first_decision() for _ in range(3)):.1f} s", "≤ 6 s")


def first_decision() -> float:
    """Seconds from the start of the process until a picture has been replaced."""
    with made() as site:
        album.fill(site.root, _PICTURES, 0.2)
        began = time.monotonic()
        with subprocess.Popen([FRAMEKEEP, "sweep", "--config", site.config], stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
            while not _replaced(site) and process.poll() is None:
                time.sleep(_LOOK_SECONDS)
            return time.monotonic() - began


def _replaced(site: Site) -> bool:
    vault = site.root / ".framekeep" / "vault"
    return vault.exists() and any(vault.iterdir())


if __name__ == "__main__":
    main()
