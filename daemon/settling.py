"""Settling: files are looked at until they stop changing. settle.py decides; here are the clock and the disk."""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Final

from daemon.candidates import Candidate
from daemon.settle import SettleTracker
from storage.files import FileIdentity
from storage.records import Place
from storage.root import Tree

_AT_ONCE: Final = 256
"""Looks in one round: a backlog must not keep a picture waiting that has just arrived."""


class Settling:
    """Belongs to one event loop."""

    def __init__(self, settle_seconds: float, trees: Sequence[Tree]) -> None:
        self._tracker = SettleTracker(settle_seconds)
        self._trees = {tree.path: tree for tree in trees}
        self._missed: set[Place] = set()
        self._woken = asyncio.Event()

    def __len__(self) -> int:
        """How many files wait."""
        return len(self._tracker)

    def __contains__(self, place: Place) -> bool:
        return place in self._tracker

    def touch(self, place: Place, *, missed: bool = False) -> None:
        """An event came for a file, or a scan found it."""
        self._tracker.touch(place, time.monotonic())
        if missed:
            self._missed.add(place)
        self._woken.set()

    def wake(self) -> None:
        """Ends a wait early."""
        self._woken.set()

    async def ready(self) -> list[Candidate]:
        """Looks at the files whose time has come. Returns those that have settled."""
        due = self._tracker.due(time.monotonic(), _AT_ONCE)
        if not due:
            return []
        identities = await asyncio.to_thread(lambda: [self._look(place) for place in due])
        now = time.monotonic()
        return [
            self._settled(place, identity)
            for place, identity in zip(due, identities, strict=True)
            if self._has_settled(place, identity, now) and identity is not None
        ]

    async def wait(self) -> None:
        """Returns when a look is due, or when a file was touched; an idle daemon sleeps here."""
        self._woken.clear()
        next_due = self._tracker.next_due()
        try:
            async with asyncio.timeout(None if next_due is None else max(0.0, next_due - time.monotonic())):
                await self._woken.wait()
        except TimeoutError:
            return

    def unsettled(self) -> list[Candidate]:
        """What still waits, for a decision that it is for later."""
        found = [(place, self._look(place)) for place in self._tracker]
        return [
            Candidate(self._trees[place.root], place.path, identity, settled=False)
            for place, identity in found
            if identity
        ]

    def _has_settled(self, place: Place, identity: FileIdentity | None, now: float) -> bool:
        settled = self._tracker.looked(place, identity, now)
        if not settled and place not in self._tracker:  # it vanished
            self._missed.discard(place)
        return settled

    def _settled(self, place: Place, identity: FileIdentity) -> Candidate:
        missed = place in self._missed
        self._missed.discard(place)
        return Candidate(self._trees[place.root], place.path, identity, missed=missed)

    def _look(self, place: Place) -> FileIdentity | None:
        try:
            with self._trees[place.root].folder_of(place.path) as (folder, name):
                return FileIdentity.of(os.stat(name, dir_fd=folder, follow_symlinks=False))
        except OSError:
            return None
