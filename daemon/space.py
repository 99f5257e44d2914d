"""A floor of free space: below it nothing is replaced, since every replacement first costs space.

The ledger, the log and the cameras have what is left. What is due in the vault is released at once, and nothing else.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from daemon.house import House
from daemon.journal import Journal
from daemon.life import Acting
from daemon.log import log
from daemon.releasing import release_due
from daemon.sheet import Sheet
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage.reading import Picture
from storage.records import Draft
from storage.root import Root
from storage.space import FreeSpace

_AGAIN_SECONDS: Final = 60
"""How long after a release that did not help the next is tried."""


@dataclass(frozen=True, slots=True)
class Roomy:
    """Acting that stops where there is no room. Belongs to one event loop."""

    acting: Acting
    house: House
    journal: Journal
    space: FreeSpace
    clock: Callable[[], float]
    low: dict[str, float] = field(default_factory=dict)
    """The roots without room, and when something was last released for it."""

    def in_flight(self, sheet: Sheet) -> AbstractContextManager[None]:
        return self.acting.in_flight(sheet)

    async def recognise(self, sheet: Sheet, picture: Picture) -> bytes:
        """Before the climb, so that no work is wasted; after what needs no space."""
        data = await self.acting.recognise(sheet, picture)
        await self._check(self.house.roots[sheet.candidate.tree.path])
        return data

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        return await self.acting.replace(sheet, written)

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        return await self.acting.keep(sheet, kept)

    async def _check(self, root: Root) -> None:
        if self.space.is_low(root):
            await self._make_room(root)
            raise Kept(Reason.NO_SPACE, "less is free than [vault] floor_megabytes")
        if self.low.pop(root.path, None) is not None:
            log.info("space_recovered", root=root.path, free_bytes=self.space.bytes(root))

    async def _make_room(self, root: Root) -> None:
        """Releases what is due, and nothing else."""
        now, last = self.clock(), self.low.get(root.path)
        if last is not None and now - last < _AGAIN_SECONDS:
            return
        self.low[root.path] = now
        if last is None:
            log.warning("space_low", root=root.path, free_bytes=self.space.bytes(root), outcome="nothing is replaced")
        released = await self.journal.using(lambda writer: release_due(writer, self.house.vaults, datetime.now(UTC)))
        if released.originals:
            log.info("released", originals=released.originals, bytes=released.bytes)


def with_room(acting: Acting, house: House, journal: Journal) -> Roomy:
    """Acting that keeps the configured floor of free space."""
    floor = int(house.config.vault.floor_megabytes * 2**20)
    return Roomy(acting, house, journal, FreeSpace(floor, time.monotonic), time.monotonic)
