"""Records what a start asks of its disk, and what an earlier start and the camera asked of it before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.torture.attaching import Call
from benchmarks.torture.disk import Content, Disk, Operation
from benchmarks.torture.drawing import drawn
from benchmarks.torture.operations import TOPS, delivering, operations
from benchmarks.torture.scenario import CAMERA, INTRUDER, INTRUDERS_SEED, Scenario, Workshop
from benchmarks.torture.site import Site


@dataclass(frozen=True)
class Recording:
    """`disk` as it was before all of this, with the inodes that come to it later; `first`: where the start begins."""

    scenario: Scenario
    site: Site
    disk: Disk
    done: list[Operation]
    first: int


@dataclass(frozen=True)
class _Part:
    """Calls, and whether the camera delivers its other picture after them."""

    calls: Sequence[Call]
    delivers: bool = False


def record(workshop: Workshop, scenario: Scenario) -> Recording:
    site = workshop.supplied(scenario)
    disk = Disk.below(site.folder, TOPS)
    seen, done, first = disk.copy(), list[Operation](), 0
    for part in _parts(workshop, scenario, site):
        first = len(done)
        done += operations(seen, site.folder, part.calls)
        if part.delivers:
            done += delivering(seen, f"incoming/{CAMERA}/{INTRUDER}", drawn(INTRUDERS_SEED))
    _foresee(disk, seen)
    return Recording(scenario, site, disk, done, first)


def _parts(workshop: Workshop, scenario: Scenario, site: Site) -> Iterator[_Part]:
    """The last of them is the start from which on power may fail: as long as it is, the camera's diary is true."""
    if scenario.crash:
        killed = workshop.crashed(scenario, scenario.crash, site).calls
        yield from _intruded(workshop, killed, scenario) if scenario.intruded else [_Part(killed)]
    calls = workshop.run(scenario, site).calls
    yield from [_Part(calls)] if scenario.is_quiet else _intruded(workshop, calls, scenario)


def _intruded(workshop: Workshop, calls: Sequence[Call], scenario: Scenario) -> list[_Part]:
    stop = workshop.before_the_exchange(scenario)
    names = [(call.name, call.ordinal) for call in calls]
    after = 1 + names.index((stop.name, stop.ordinal))
    return [_Part(calls[:after], delivers=True), _Part(calls[after:])]


def _foresee(disk: Disk, seen: Disk) -> None:
    """An inode that is made later has no name yet, and nothing in it."""
    disk.folders |= seen.folders
    for inode in seen.contents:
        disk.contents.setdefault(inode, Content())
