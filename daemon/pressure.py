"""Disk pressure: where free space runs out, pictures go further along their stages, the oldest first. None is deleted.

What is due in the vault is released first. A later stage needs its original, so the other originals come last: those
that the vault has held for [pressure] vault_days go when nothing is left to shrink.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final, TypeVar

from daemon.candidates import Candidate
from daemon.config.free_space import bytes_of
from daemon.house import House
from daemon.journal import Journal
from daemon.log import log
from daemon.pipeline import Pipeline
from daemon.releasing import Grounds, Released, Vaults, delete, release_due
from storage.files import FileIdentity
from storage.ledger.aging import Aging
from storage.ledger.writer import Writer
from storage.names import printable
from storage.records import Known, VaultEntry
from storage.root import Root

T = TypeVar("T", Aging, VaultEntry)

_LOOK_SECONDS: Final = 60
_AGAIN_SECONDS: Final = 600
"""How long after all that could be done did not help it is tried again: holds may have ended by then."""
_AT_ONCE: Final = 32
"""Pictures that are shrunk, or originals that are released, between two looks at the free space."""
_GROUNDS: Final = Grounds("released under disk pressure", lambda _root, _held: True)


def space_of(root: Root) -> tuple[int, int]:
    """What is free where a root lies, and what its filesystem has in all, in bytes. Raises OSError."""
    status = os.fstatvfs(root.descriptor)
    return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize


@dataclass(frozen=True, slots=True)
class Pressure:
    """Belongs to one event loop."""

    house: House
    journal: Journal
    pipeline: Pipeline
    stop: asyncio.Event
    """Once it is set, what is in flight is finished and nothing more is begun."""
    low: dict[str, str] = field(default_factory=dict)
    """By root under pressure: a sentence about it."""
    space: Callable[[Root], tuple[int, int]] = space_of

    async def keep_relieving(self) -> None:
        """Until `stop` is set. Raises LedgerError."""
        while self.house.config.pressure.when_free_below is not None and not self.stop.is_set():
            for root in self.house.roots.values():
                try:
                    await self.relieve(root)
                except OSError as error:
                    log.warning("free_space_unknown", root=root.path, error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), _AGAIN_SECONDS if self.low else _LOOK_SECONDS)

    async def relieve(self, root: Root) -> None:
        """Frees space in a root that has too little, as far as that is possible. Raises LedgerError and OSError."""
        if not self._lacks_space(root):
            self._over(root)
            return
        if root.path not in self.low:
            log.warning("disk_pressure", root=root.path, free_bytes=self.space(root)[0], wanted=self._amount)
        self.low[root.path] = f"{printable(root.path)}: less than {self._amount} is free"
        await self._release_due(root)
        if any(opening.root == root.path for opening in self.house.reader.openings()):
            return  # what may be a mass mistake needs its originals
        while await self._shrink(root):
            pass
        if self._within_hours():
            await self._release_early(root)
        if not self._lacks_space(root):
            self._over(root)

    def _within_hours(self) -> bool:
        """Whether nothing that would be shrunk is put off until working hours: originals come last."""
        now = datetime.now(UTC)
        return all(hours.hold(now) for hours in self.house.rules.hours)

    def _lacking(self, root: Root) -> int:
        """Bytes. What the vault will have released when [pressure] vault_days are over is as good as free."""
        until = datetime.now(UTC) + timedelta(days=self.house.config.pressure.vault_days)
        _, coming = self.house.reader.due(until, [root.path])
        return self._missing(root) - coming

    @property
    def _amount(self) -> str:
        return self.house.config.pressure.when_free_below or "0%"

    def _lacks_space(self, root: Root) -> bool:
        return self._missing(root) > 0

    def _missing(self, root: Root) -> int:
        free, total = self.space(root)
        return bytes_of(self._amount, total) - free

    def _over(self, root: Root) -> None:
        if self.low.pop(root.path, None) is not None:
            log.info("disk_pressure_over", root=root.path, free_bytes=self.space(root)[0])

    async def _release_due(self, root: Root) -> None:
        vaults = Vaults({root.path: root}, self.house.holds)
        _tell(root, await self.journal.using(lambda writer: release_due(writer, vaults, datetime.now(UTC))))

    async def _release_early(self, root: Root) -> None:
        """What the vault has held for as long as pressure allows, the oldest decisions first."""
        vaults, days, last = Vaults({root.path: root}, self.house.holds), self.house.config.pressure.vault_days, 0
        while self._lacks_space(root) and not self.stop.is_set():
            now = datetime.now(UTC)

            def release(writer: Writer, now: datetime = now, after: int = last) -> tuple[int, Released]:
                found = writer.held_since(now - timedelta(days=days), [root.path], after, _AT_ONCE)
                found = _needed(found, self._missing(root))
                going = [held for held in found if not self.house.rules.for_path(held.place.path).exclude]
                return (found[-1].decision if found else 0), delete(writer, vaults, going, now, _GROUNDS)

            last, released = await self.journal.using(release)
            _tell(root, released)
            if not last:
                return

    async def _shrink(self, root: Root) -> bool:
        """One round: takes pictures one stage further until there is space. Whether any could be taken further."""
        succeeded, last = False, None
        while not self.stop.is_set() and (found := await self._aging(root, last)):
            last = found[-1]
            paths = [one.path for one in found]
            before = await self.journal.known(root.path, paths)
            await self.pipeline.run(self._each(root, before))
            after = await self.journal.known(root.path, paths)
            succeeded = succeeded or any(after[path].decision != known.decision for path, known in before.items())
            await self._release_due(root)
        return succeeded

    async def _aging(self, root: Root, after: Aging | None) -> Sequence[Aging]:
        """The next ones, as many as are needed."""
        last, lacking = self.house.rules.last_stage, self._lacking(root)
        found = await self.journal.using(lambda writer: writer.aging(root.path, last, after, _AT_ONCE))
        return _needed(found, lacking)

    async def _each(self, root: Root, known: Mapping[str, Known]) -> AsyncIterator[Candidate]:
        """Those that are as the ledger knows them, with the rules of the stage that is next for each."""
        for path, fact in known.items():
            now = self.house.rules.for_path(path)
            rules = None if now.left_alone(datetime.now(UTC)) else now.next_for(fact)
            if rules is None or self.stop.is_set():
                continue
            if await asyncio.to_thread(_identity, root, path) == fact.identity:
                vault_days = self.house.config.pressure.vault_days
                yield Candidate(root, path, fact.identity, rules=replace(rules, vault_days=vault_days, min_age_days=0))


def _needed(found: Sequence[T], lacking: int) -> list[T]:
    """The first ones, until their originals make up for what is lacking."""
    freed = accumulate((one.bytes_before for one in found), initial=0)
    return [one for one, before in zip(found, freed, strict=False) if before < lacking]


def _identity(root: Root, path: str) -> FileIdentity | None:
    try:
        with root.folder_of(path) as (folder, name):
            return FileIdentity.of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except OSError:
        return None


def _tell(root: Root, released: Released) -> None:
    if released.originals:
        log.info("released", root=root.path, originals=released.originals, bytes=released.bytes)
