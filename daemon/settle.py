"""When has a file stopped changing? Pure: no clock, no disk, no thread.

Events and looks go in; places that want a look, and at last the word "settled", come out. Whether a settled file is a
whole JPEG is not asked here: the reader walks its markers.
"""

import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from storage.files import FileIdentity
from storage.records import Place

QUIET_PART: Final = 1 / 8
"""After an event the first look waits this part of `settle_seconds`, so that a burst of events costs one look."""


@dataclass(slots=True)
class _Wait:
    seen: FileIdentity | None = None
    """What the last look saw; None where an event came since, or no look was had."""
    due: float = math.inf
    """When the next look is wanted; never while one is under way and no event came since it was asked for."""
    queued: float = math.inf
    """The time of this file's entry in the agenda; other entries of it are stale."""
    looking: bool = False


class SettleTracker:
    """Files that may still be changing.

    A file is settled when two looks at least `settle_seconds` apart see the same size, mtime, ctime and inode, and no
    event came between them. Times are monotonic seconds that the caller passes in; each operation costs O(log n).

    - An upload that preserves an old mtime, or that no event tells of (a lost one, a mapped file): the looks differ in
      size or ctime, and the wait starts again.
    - A file that changes for ever never settles; it costs a look per quiet part of `settle_seconds` at the most, and
      none at all while events come faster than that.
    - A burst of events, or events while the file waits for its second look, start the wait again; none adds a look.
    - An event while a look is under way: what the look will have seen is not trusted, another one follows.
    - A file that vanished is forgotten; one that was replaced by another (a rename over it) shows a new inode.
    - A late answer only makes the wait longer: the second look is not asked for sooner than `settle_seconds` after the
      first was answered, and there is never more than one look at a file under way.
    - A settled file is forgotten: it comes out once, and again only after a new event.
    """

    def __init__(self, settle_seconds: float) -> None:
        self._settle = settle_seconds
        self._waits: dict[Place, _Wait] = {}
        self._agenda: list[tuple[float, int, Place]] = []
        self._serial = itertools.count()

    def __len__(self) -> int:
        """How many files wait."""
        return len(self._waits)

    def __contains__(self, place: Place) -> bool:
        return place in self._waits

    def __iter__(self) -> Iterator[Place]:
        return iter(self._waits)

    def touch(self, place: Place, now: float) -> None:
        """An event came, or a walk found the file."""
        wait = self._waits.setdefault(place, _Wait())
        wait.seen = None
        wait.due = now + self._settle * QUIET_PART
        if not wait.looking:
            self._enqueue(place, wait)

    def due(self, now: float, most: int | None = None) -> list[Place]:
        """The files that want a look now, `most` at once. The caller answers each with exactly one `looked`."""
        places: list[Place] = []
        while self._agenda and self._agenda[0][0] <= now and len(places) != most:
            at, _, place = heapq.heappop(self._agenda)
            wait = self._waits.get(place)
            if wait is None or wait.queued != at:
                continue
            wait.queued = math.inf
            if wait.due > now:  # an event came since this entry was made
                self._enqueue(place, wait)
                continue
            wait.looking, wait.due = True, math.inf
            places.append(place)
        return places

    def looked(self, place: Place, identity: FileIdentity | None, now: float) -> bool:
        """What the look that `due` asked for saw (None: no file). True, once, when the file is settled with it.

        An answer that nobody asked for is not heeded.
        """
        wait = self._waits.get(place)
        if wait is None:
            return False
        wait.looking = False
        if math.isinf(wait.due):
            if identity is None or identity == wait.seen:
                del self._waits[place]
                return identity is not None
            wait.seen, wait.due = identity, now + self._settle
        self._enqueue(place, wait)
        return False

    def next_due(self) -> float | None:
        """When to ask `due` again: not later than the next look, and None where nothing waits for one."""
        while self._agenda and self._is_stale(self._agenda[0]):
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def _is_stale(self, entry: tuple[float, int, Place]) -> bool:
        wait = self._waits.get(entry[2])
        return wait is None or wait.queued != entry[0]

    def _enqueue(self, place: Place, wait: _Wait) -> None:
        """Makes sure of an agenda entry no later than `due`; one that is earlier is put off when its time comes."""
        if wait.due < wait.queued:
            wait.queued = wait.due
            heapq.heappush(self._agenda, (wait.due, next(self._serial), place))
