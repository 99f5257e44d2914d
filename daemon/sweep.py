"""One pass over the pictures that exist already."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.breaking import Guarded, open_breaking
from daemon.candidates import Candidate
from daemon.config.schema import Config
from daemon.habits import habits_of
from daemon.house import House, QuietHouse
from daemon.journal import Journal
from daemon.names import NameFilter
from daemon.openings import opened_in, sentence
from daemon.pace import Bandwidth
from daemon.pipeline import Pipeline
from daemon.rehearsing import Rehearsing
from daemon.replacing import Replacing
from daemon.rules import RuleBook
from daemon.scanning import Knowing, Scan
from daemon.settling import Settling
from daemon.sheet import Sheet
from daemon.sources import swept
from daemon.space import with_room
from daemon.stages import Stages
from daemon.suspects import try_suspects
from daemon.tally import Tally
from daemon.walk import PassedOver
from framekeep.errors import UsageError
from storage.ledger.breakers import Opening
from storage.records import Draft, Place
from storage.root import Tree


@dataclass(slots=True)
class Sweeping:
    """A sweep under way, as others may watch it."""

    dry_run: bool
    tally: Tally = field(default_factory=Tally)
    interrupted: bool = False
    looks: int = 0
    passed_over: Counter[PassedOver] = field(default_factory=Counter)
    """What was not entered."""
    openings: Sequence[Opening] = ()
    """Where the breaker was open at the end."""
    started: float = field(default_factory=time.monotonic)

    def count(self, sheet: Sheet, draft: Draft) -> None:
        """Every decision comes here."""
        self.looks += sheet.looks
        self.tally.add(draft)

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def rate(self) -> float:
        """Pictures a second so far."""
        return self.tally.seen / max(self.seconds(), 1e-9)

    def summary(self) -> dict[str, Any]:
        """What `sweep --json` ends with."""
        tally = self.tally
        return {
            "seen": tally.seen,
            "replaced": tally.replaced,
            "kept": tally.kept,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "bytes_before": tally.bytes_before,
            "bytes_after": tally.bytes_after,
            "seconds": round(self.seconds(), 3),
            "reasons": dict(tally.reasons),
            "dry_run": self.dry_run,
            "interrupted": self.interrupted,
            "passed_over": {why.value: self.passed_over[why] for why in PassedOver},
            "breaker": [sentence(opening) for opening in self.openings],
        }


def targets_of(config: Config, paths: Sequence[Path]) -> list[Place]:
    """Each path as a place below its root; no path at all means every root. Raises UsageError."""
    if not paths:
        return [Place(str(root), "") for root in config.watch.roots]
    places = sorted({place_of(config, path) for path in paths}, key=lambda place: (place.root, place.path))
    return [place for place in places if not any(_is_below(place, other) for other in places)]


def _is_below(place: Place, other: Place) -> bool:
    """Whether one place lies inside another, so that it would be swept twice."""
    if place.root != other.root or place.path == other.path:
        return False
    return other.path == "" or place.path.startswith(f"{other.path}/")


def place_of(config: Config, path: Path) -> Place:
    """A path below its root. Raises UsageError for one that lies outside every root."""
    for spelled in (Path(os.path.abspath(path)), path.parent.resolve() / path.name):  # noqa: PTH100 - follows no link
        for root in config.watch.roots:
            if spelled.is_relative_to(root):
                relative = spelled.relative_to(root)
                return Place(str(root), "" if relative == Path() else str(relative))
    roots = ", ".join(map(str, config.watch.roots))
    raise UsageError(
        f"{path} lies outside every watched root ({roots}): add it to [watch] roots, or name a path inside"
    )


def sweep(house: House, targets: Sequence[Place], sweeping: Sweeping) -> None:
    """Replaces what qualifies. A first SIGINT or SIGTERM finishes what is in flight and sets `interrupted`."""
    config = house.config
    try_suspects(house)
    sweeping.started = time.monotonic()
    with stages_of(config) as stages:
        journal = Journal(house.writer, house.ledger)
        scan = _scan(house.names, house.rules, journal.known, sweeping)
        breaking = open_breaking(house, journal)
        replacing = with_room(Replacing(stages, journal, house.roots, house.holds), house, journal)
        acting = Guarded(replacing, breaking)
        pipeline = Pipeline(stages, acting, house.rules, sweeping.count, habits_of(config, house.reader))
        asyncio.run(
            _run(pipeline, scan, [(house.roots[target.root], target.path) for target in targets], config, sweeping)
        )
    sweeping.openings = opened_in(breaking.breaker.openings, targets)


def rehearse(house: QuietHouse, targets: Sequence[Place], sweeping: Sweeping) -> None:
    """A dry run: encodes and looks as a sweep does, and changes nothing."""
    config, model, acting = house.config, house.model, Rehearsing(house.reader, house.holds)
    rules = RuleBook(config, model)
    sweeping.started = time.monotonic()
    with stages_of(config) as stages, ExitStack() as held:
        trees = {root: held.enter_context(Tree(root)) for root in {target.root for target in targets}}
        names = NameFilter(config.watch.include, config.watch.ignore)
        scan = _scan(names, rules, acting.known, sweeping)
        pipeline = Pipeline(stages, acting, rules, sweeping.count, habits_of(config, house.reader))
        asyncio.run(_run(pipeline, scan, [(trees[target.root], target.path) for target in targets], config, sweeping))


def _scan(names: NameFilter, rules: RuleBook, known: Knowing, sweeping: Sweeping) -> Scan:
    tally = sweeping.tally
    return Scan(names, rules, known, tally.skip, lambda: sweeping.interrupted, sweeping.passed_over, tally.wait)


def stages_of(config: Config) -> Stages:
    """Where the work is done, as large as the configuration says."""
    limits = config.limits
    bandwidth = Bandwidth(config.service.megabytes_per_second * 1e6)
    return Stages(config.selection.batch, int(limits.in_flight_megapixels * 10**6), limits.max_seconds, bandwidth)


async def _run(
    pipeline: Pipeline, scan: Scan, targets: Sequence[tuple[Tree, str]], config: Config, sweeping: Sweeping
) -> None:
    def interrupt() -> None:
        sweeping.interrupted = True
        settling.wake()
        pipeline.stages.bandwidth.lift()

    loop = asyncio.get_running_loop()
    settle_seconds = config.watch.settle_seconds
    settling = Settling(settle_seconds, [tree for tree, _ in targets])
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    found = swept(scan, settling, targets, settle_seconds)
    await pipeline.run(_until_interrupted(found, sweeping))


async def _until_interrupted(candidates: AsyncIterator[Candidate], sweeping: Sweeping) -> AsyncIterator[Candidate]:
    async for candidate in candidates:
        if sweeping.interrupted:
            return
        yield candidate


def picture_of(config: Config, path: Path) -> Place:
    """The same for one picture, which need not exist. Raises UsageError for a folder, too."""
    place = place_of(config, path)
    if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 - pathlib's raise where nobody may look
        raise UsageError(f"{path} is a folder: name a picture in it, which need not exist")
    return place
