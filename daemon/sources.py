"""The two sources of the pipeline: what a sweep finds, and what a daemon's watcher and rescans deliver."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from daemon.candidates import Candidate
from daemon.scanning import Scan
from daemon.settling import Settling
from storage.files import FileIdentity
from storage.records import Place
from storage.root import Tree

NotDone = Callable[[Sequence[Candidate]], Awaitable[list[Candidate]]]

_PATIENCE: Final = 10
"""How many times settle_seconds a sweep waits for files that keep changing."""


async def swept(
    scan: Scan,
    settling: Settling,
    targets: Sequence[tuple[Tree, str]],
    settle_seconds: float,
) -> AsyncIterator[Candidate]:
    """Every candidate of the targets: what has long stopped changing at once, the rest when it has settled.

    What still changes in the end comes out as unsettled. Where the scan is stopped, it waits for nothing more.
    """
    for tree, below in targets:
        async for found in scan.below(tree, below):
            candidate = replace(found, missed=False)
            if _is_old(candidate.identity, settle_seconds):
                yield candidate
            else:
                settling.touch(candidate.place)
                for settled in await settling.ready():
                    yield settled
    give_up = time.monotonic() + _PATIENCE * settle_seconds
    while len(settling) and time.monotonic() < give_up and not scan.stopped():
        await settling.wait()
        for settled in await settling.ready():
            yield settled
    for candidate in settling.unsettled():
        yield candidate


class Watched:
    """What the watcher and the rescans of a daemon deliver, settled. Belongs to one event loop."""

    def __init__(self, settling: Settling, not_done: NotDone) -> None:
        self._settling = settling
        self._not_done = not_done
        self._in_flight: set[Place] = set()
        self._stop = asyncio.Event()

    def __len__(self) -> int:
        """How many files wait or are in flight."""
        return len(self._settling) + len(self._in_flight)

    def stop(self) -> None:
        """No candidate comes after this."""
        self._stop.set()
        self._settling.wake()

    def heard(self, place: Place) -> None:
        """The watcher heard of a file."""
        self._settling.touch(place)

    def found(self, candidate: Candidate, *, missed: bool) -> None:
        """A rescan found a file, which the watcher may have missed; not so what waits already."""
        if candidate.place not in self._settling and candidate.place not in self._in_flight:
            self._settling.touch(candidate.place, missed=missed)

    def decided(self, candidate: Candidate) -> None:
        """The candidate is decided. One that changed on the way comes again by that event, or by a rescan."""
        self._in_flight.discard(candidate.place)

    async def candidates(self) -> AsyncIterator[Candidate]:
        """Settled files that the ledger does not know to be done, until `stop`."""
        while not self._stop.is_set():
            for candidate in await self._not_done(self._not_in_flight(await self._settling.ready())):
                if self._stop.is_set():
                    return
                self._in_flight.add(candidate.place)
                yield candidate
            if not self._stop.is_set():
                await self._settling.wait()

    def _not_in_flight(self, settled: list[Candidate]) -> list[Candidate]:
        """One that is in flight comes again when that is over."""
        for candidate in settled:
            if candidate.place in self._in_flight:
                self._settling.touch(candidate.place, missed=candidate.missed)
        return [candidate for candidate in settled if candidate.place not in self._in_flight]


def _is_old(identity: FileIdentity, settle_seconds: float) -> bool:
    """Whether the file has not changed for long, by a time that no upload can set (ctime); a future one is not old."""
    return time.time_ns() - max(identity.ctime_ns, identity.mtime_ns) > settle_seconds * 1e9
