"""SIGKILL at random moments of sweeps while cameras write, each followed by another start, which repairs first.

usage: python -m benchmarks.torture.kill [--count KILLS] [--seed SEED]

Real: processes and kills, filesystem, cameras, ledger, pipeline with its threads and squeezer processes, replacement,
recovery. Fake: the model, which answers at once (blink.py); processes are forked from one that has imported everything.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.torture.camera import cameras
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import PARTIAL, config_of, ended, forked, start
from benchmarks.torture.running import checked, main
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import Verdict, found
from daemon.config.schema import Config

CAMERAS: Final = 3
KILLS_A_SITE: Final = 25
PROGRESSIVE: Final = 0.3
"""The share of sites whose variants are progressive, as is the default."""
WITHIN: Final = {False: 0.4, True: 1.2}
"""Seconds in which a kill comes, by whether variants are progressive: the squeezer's processes take a while to start."""


def torture(folder: Path, kills: int, seed: int) -> Verdict:
    """A fresh site now and then keeps the sweeps short."""
    total, chance = Verdict(), random.Random(seed)  # noqa: S311 - chance, not secrecy
    negatives = [drawn(number) for number in range(50)]
    while (left := kills - total.counts["trials"]) > 0:
        site = Site(folder / str(total.counts["trials"])).make()
        config = config_of(site, encoder={"progressive": chance.random() < PROGRESSIVE})
        with cameras(site, CAMERAS, negatives, chance.getrandbits(30)):
            total += _killed(site, config, min(KILLS_A_SITE, left), chance)
        total += _repaired(site, config)
    return total


def _killed(site: Site, config: Config, kills: int, chance: random.Random) -> Verdict:
    total = Verdict()
    while total.counts["trials"] < kills:
        process = forked(site, lambda: start(config))
        time.sleep(chance.uniform(0, WITHIN[config.encoder.progressive]))
        os.kill(process, signal.SIGKILL)
        code = ended(process)
        if code == -signal.SIGKILL:
            with site.quiet():
                total += found("trials") + checked(site, crashed=True)
        else:
            total += found("whole_sweeps") + _exit(code)
    return total


def _repaired(site: Site, config: Config) -> Verdict:
    """A last start that nobody disturbs, and then a strict look."""
    return _exit(ended(forked(site, lambda: start(config)))) + checked(site)


def _exit(code: int) -> Verdict:
    return Verdict() if code in {0, PARTIAL} else found("damaged", f"a sweep ended with exit code {code}")


if __name__ == "__main__":
    sys.exit(main("kill", torture, 1000))
