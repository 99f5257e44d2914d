"""The same kills where a filesystem cannot exchange two files, so that pictures are replaced in two steps.

usage: python -m benchmarks.torture.racy [--count KILLS] [--seed SEED]

As in kill.py, but the kernel answers as exFAT or NFS would (refusing.py). Between a kill and the next start nothing may
stand at a path whose picture is in the vault; each site is on one of the two.
"""

import random
import sys
from pathlib import Path
from typing import Final

from benchmarks.torture.camera import cameras
from benchmarks.torture.driving import forked, racy_config_of, start
from benchmarks.torture.kill import KILLS_A_SITE, STUDIO, Sweeps, killed, repaired, timed
from benchmarks.torture.refusing import refuse
from benchmarks.torture.running import main
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import Verdict
from daemon.config.schema import Config

_FILESYSTEMS: Final = ("exfat", "nfs")


def torture(folder: Path, kills: int, seed: int) -> Verdict:
    total, chance = Verdict(), random.Random(seed)  # noqa: S311 - chance, not secrecy
    while (left := kills - total.counts["trials"]) > 0:
        site = Site(folder / str(total.counts["trials"])).make()
        total += _one(site, min(KILLS_A_SITE, left), chance)
    return total


def _one(site: Site, kills: int, chance: random.Random) -> Verdict:
    config, filesystem = racy_config_of(site, encoder={"progressive": False}), chance.choice(_FILESYSTEMS)

    def begin() -> int:
        return forked(site, lambda: _started(config, filesystem))

    with cameras(site, STUDIO, chance.getrandbits(30)):
        sweeps = timed(begin, chance)
        total = killed(site, Sweeps(sweeps.begin, sweeps.wait, racy=True), kills)
    return total + repaired(site, begin)


def _started(config: Config, filesystem: str) -> int:
    refuse(filesystem)
    return start(config)


if __name__ == "__main__":
    sys.exit(main("racy", torture, 1000))
