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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.torture.camera import Studio, cameras
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import PARTIAL, config_of, ended, forked, start
from benchmarks.torture.running import checked, main
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import Verdict, found
from daemon.config.schema import Config

STUDIO: Final = Studio(3, [drawn(number) for number in range(50)])
KILLS_A_SITE: Final = 25
PROGRESSIVE: Final = 0.3
"""The share of sites whose variants are progressive, as is the default."""


@dataclass(frozen=True, slots=True)
class Sweeps:
    """How a sweep of a site is begun (it returns the process), and how long it goes on before it is killed."""

    begin: Callable[[], int]
    wait: Callable[[], None]
    racy: bool = False
    """On a filesystem that cannot exchange two files."""


def torture(folder: Path, kills: int, seed: int) -> Verdict:
    """A fresh site now and then keeps the sweeps short."""
    total, chance = Verdict(), random.Random(seed)  # noqa: S311 - chance, not secrecy
    while (left := kills - total.counts["trials"]) > 0:
        total += _one(Site(folder / str(total.counts["trials"])).make(), min(KILLS_A_SITE, left), chance)
    return total


def _one(site: Site, kills: int, chance: random.Random) -> Verdict:
    config = config_of(site, encoder={"progressive": chance.random() < PROGRESSIVE})
    with cameras(site, STUDIO, chance.getrandbits(30)):
        total = killed(site, timed(lambda: _begun(site, config), chance), kills)
    return total + repaired(site, lambda: _begun(site, config))


def killed(site: Site, sweeps: Sweeps, kills: int) -> Verdict:
    """Killed again and again, each time looked at while the cameras hold still."""
    total = Verdict()
    while total.counts["trials"] < kills:
        process = sweeps.begin()
        sweeps.wait()
        os.kill(process, signal.SIGKILL)
        code = ended(process)
        if code == -signal.SIGKILL:
            with site.quiet():
                total += found("trials") + checked(site, crashed=True, racy=sweeps.racy)
        else:
            total += found("whole_sweeps") + _exit(code)
    return total


def repaired(site: Site, begin: Callable[[], int]) -> Verdict:
    """A last sweep that nobody disturbs, and then a strict look."""
    return _exit(ended(begin())) + checked(site)


def timed(begin: Callable[[], int], chance: random.Random) -> Sweeps:
    """They are killed within the time that they take, on this machine and today: the first is the shortest by far."""
    began = time.monotonic()
    ended(begin())
    longest = 2 * (time.monotonic() - began)
    return Sweeps(begin, lambda: time.sleep(chance.uniform(0, longest)))


def _begun(site: Site, config: Config) -> int:
    return forked(site, lambda: start(config))


def _exit(code: int) -> Verdict:
    return Verdict() if code in {0, PARTIAL} else found("damaged", f"a sweep ended with exit code {code}")


if __name__ == "__main__":
    sys.exit(main("kill", torture, 1000))
