"""Power cuts: writes that were not fsynced are dropped, at every step of a replacement, of the ledger and of repairs.

usage: python -m benchmarks.torture.powercut [--count DISKS] [--seed PIECE]

strace records what a start asks of the disk. For each step on the way, disks are made that a cut may leave there
(cuts.py says what is assumed); each is written to where the site was, and a start with nothing in its way repairs it.
PIECE 1 is the first DISKS of them all (shuffled), 2 the next, and so on.
Real: the operations, the repair and all that it runs on. Fake: the disk that loses power, and the model (blink.py).
"""

import random
import shutil
import sys
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.torture.cuts import Loss, left, likeness, losses
from benchmarks.torture.disk import Disk
from benchmarks.torture.driving import config_of, ended, forked, racy_config_of, repair
from benchmarks.torture.operations import TOPS
from benchmarks.torture.recording import Recording, record
from benchmarks.torture.refusing import refuse
from benchmarks.torture.running import checked, main, piece
from benchmarks.torture.scenario import SCENARIOS, Workshop
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import Verdict, found


@dataclass(frozen=True)
class Cut:
    """One disk that the power's failure may leave."""

    recording: Recording
    loss: Loss

    @property
    def disk(self) -> Disk:
        return left(self.recording.disk, self.recording.done, self.loss)

    def __str__(self) -> str:
        return f"{self.recording.scenario.name}, {self.loss}"


def torture(folder: Path, count: int, part: int) -> Verdict:
    chance = random.Random(0)  # noqa: S311 - chance, not secrecy; the same in every piece
    workshop = Workshop(folder)
    cuts = [cut for is_racy in (False, True) for cut in _shuffled(workshop, chance, is_racy=is_racy)]
    total = Verdict()
    for cut in piece(cuts, count, part):
        total += survived(cut)
    return total


def _shuffled(workshop: Workshop, chance: random.Random, *, is_racy: bool) -> list[Cut]:
    scenarios = [scenario for scenario in SCENARIOS if scenario.is_racy == is_racy]
    cuts = [cut for scenario in scenarios for cut in cuts_of(record(workshop, scenario), chance)]
    chance.shuffle(cuts)
    return cuts


def cuts_of(recording: Recording, chance: random.Random) -> Iterator[Cut]:
    """Each disk once."""
    disk, done = recording.disk, recording.done
    known = set[Hashable]()
    for after in range(recording.first, len(done) + 1):
        for loss in losses(done[:after], chance):
            if (state := likeness(disk, done, loss)) not in known:
                known.add(state)
                yield Cut(recording, loss)


def survived(cut: Cut) -> Verdict:
    """Looked at, started again, looked at strictly."""
    site = cut.recording.site
    for top in TOPS:
        shutil.rmtree(site.folder / top, ignore_errors=True)
    cut.disk.write_to(site.folder)
    scenario = cut.recording.scenario
    verdict = found("trials") + checked(site, crashed=True, racy=scenario.is_racy)
    code = ended(forked(site, lambda: _repaired(site, scenario.filesystem)))
    if code != 0:
        verdict += found("damaged", f"the next start ended with exit code {code}")
    return (verdict + checked(site)).during(str(cut))


def _repaired(site: Site, filesystem: str) -> int:
    if not filesystem:
        return repair(config_of(site))
    refuse(filesystem)
    return repair(racy_config_of(site))


if __name__ == "__main__":
    sys.exit(main("powercut", torture, 2000))
