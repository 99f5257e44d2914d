"""The same races where a filesystem cannot exchange two files, so that pictures are replaced in two steps.

usage: python -m benchmarks.torture.racy_races [--count RACES] [--seed SEED]

As in races.py, but the kernel answers as exFAT or NFS would (refusing.py). A camera that finds nothing at a path tries
again, as a person would.
"""

import random
import sys
from pathlib import Path
from typing import Final

from benchmarks.torture.blink import Blink
from benchmarks.torture.driving import racy_config_of
from benchmarks.torture.races import Starter, raced
from benchmarks.torture.refusing import on
from benchmarks.torture.running import main
from benchmarks.torture.site import Site
from benchmarks.torture.stepping import passed
from benchmarks.torture.verdict import Verdict
from daemon.house import opened
from daemon.log import configure

_FILESYSTEMS: Final = ("exfat", "nfs")


def torture(folder: Path, races: int, seed: int) -> Verdict:
    configure("json", "error")  # else it would warn of each start
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    return raced(
        folder, races, seed, lambda site, starter: on(chance.choice(_FILESYSTEMS), lambda: _pass(site, starter))
    )


def _pass(site: Site, starter: Starter) -> None:
    with opened(racy_config_of(site), Blink()) as house:
        passed(house, starter)


if __name__ == "__main__":
    sys.exit(main("racy_races", torture, 10_000))
