"""SIGKILL at random moments of `framekeep sweep` itself, with the real model, while a camera writes.

usage: python -m benchmarks.torture.killreal [--count KILLS] [--seed SEED]

Nothing is fake. A start takes seconds, so the kill comes within a second and a half after the first picture is staged;
`batch = 2`, so that few pictures are in flight and a restart has soon tried the suspects of the crash.
"""

import os
import random
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.torture.camera import Studio, cameras
from benchmarks.torture.drawing import drawn
from benchmarks.torture.kill import Sweeps, killed, repaired
from benchmarks.torture.running import main
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import Verdict

FRAMEKEEP: Final = Path(sys.executable).with_name("framekeep")
STUDIO: Final = Studio(1, [drawn(number) for number in range(50)], longest_pause=0.4)
WITHIN: Final = 1.5
PATIENCE: Final = 60.0
CONFIG: Final = """
[watch]
settle_seconds = 0.1
[selection]
batch = 2
device = "cpu"
"""


def torture(folder: Path, kills: int, seed: int) -> Verdict:
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    site = Site(folder / "site").make()
    (site.folder / "config.toml").write_text(CONFIG)
    sweeps = Sweeps(begin=lambda: _begun(site), wait=lambda: _wait(site, chance))
    with cameras(site, STUDIO, chance.getrandbits(30)):
        verdict = killed(site, sweeps, kills)
    return verdict + repaired(site, sweeps.begin)


def _begun(site: Site) -> int:
    command = [str(FRAMEKEEP), "sweep", "--config", str(site.folder / "config.toml")]
    log = (os.POSIX_SPAWN_OPEN, 1, str(site.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.posix_spawn(command[0], command, os.environ, file_actions=[log, (os.POSIX_SPAWN_DUP2, 1, 2)])


def _wait(site: Site, chance: random.Random) -> None:
    """Until something is staged that was not before, and a moment longer."""
    before, give_up = _names(site), time.monotonic() + PATIENCE
    while time.monotonic() < give_up and not _names(site) - before:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, WITHIN))


def _names(site: Site) -> set[str]:
    """What was ever staged lies in one of these."""
    return {path.name for folder in ("staged", "vault") for path in site.own.glob(f"{folder}/*")}


if __name__ == "__main__":
    sys.exit(main("killreal", torture, 30))
