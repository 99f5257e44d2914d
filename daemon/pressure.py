"""Disk pressure: where free space runs out, pictures go further along their stages, the oldest first. None is deleted.

What is due in the vault is released first. A later stage needs its original, so the other originals come last: those
that the vault has held for [pressure] vault_days go when nothing is left to shrink, and what is due within these days
does not make up for what is lacking.
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
from daemon.releasing import Grounds, Released, Vaults, delete, held_due, release_due
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
        was_within = self._within_hours()
        if await self._shrink_all(root) and was_within and self._within_hours():
            await self._release_early(root)
        if not self._lacks_space(root):
            self._over(root)

    def _may_go_on(self, root: Root) -> bool:
        """Not while a breaker is open, which the shrinking itself may do: a mass mistake needs its originals."""
        return not self.stop.is_set() and all(opening.root != root.path for opening in self.house.reader.openings())

    def _within_hours(self) -> bool:
        """Whether nothing that would be shrunk is put off until working hours: originals come last."""
        now = datetime.now(UTC)
        return all(hours.hold(now) for hours in self.house.rules.hours)

    def _lacking(self, root: Root, held: int) -> int:
        """Bytes. What the vault will have released when [pressure] vault_days are over is as good as free."""
        _, coming = self.house.reader.due(self._until, list(self._beside(root)))
        return self._missing(root) - (coming - held)

    def _held(self, root: Root) -> int:
        """Bytes of what legal holds keep in the vault although it would be released by then."""
        held = held_due(self.house.reader, self._beside(root), self.house.holds, self._until)
        return sum(entry.bytes_before for entry in held)

    def _beside(self, root: Root) -> dict[str, Root]:
        """The roots on its filesystem, itself among them: what one's vault releases is free for all."""
        device = os.fstat(root.descriptor).st_dev
        return {path: one for path, one in self.house.roots.items() if os.fstat(one.descriptor).st_dev == device}

    @property
    def _until(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.house.config.pressure.vault_days)

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
        while self._lacks_space(root):
            now = datetime.now(UTC)

            def release(writer: Writer, now: datetime = now, after: int = last) -> tuple[int, Released]:
                if not self._may_go_on(root):  # asked in the ledger's thread, in which a breaker opens
                    return 0, Released()
                found = writer.held_since(now - timedelta(days=days), [root.path], after, _AT_ONCE)
                found = _needed(found, self._missing(root))
                going = [held for held in found if not self.house.rules.for_path(held.place.path).exclude]
                return (found[-1].decision if found else 0), delete(writer, vaults, going, now, _GROUNDS)

            last, released = await self.journal.using(release)
            _tell(root, released)
            if not last:
                return

    async def _shrink_all(self, root: Root) -> bool:
        """Takes pictures one stage further, round by round, until that will do. Whether none is left that could go on.

        Only then are originals released early: a later stage would have started from them.
        """
        held = await asyncio.to_thread(self._held, root)
        succeeded, last = False, None
        while self._may_go_on(root) and (lacking := self._lacking(root, held)) > 0:
            if found := await self._aging(root, last, lacking):
                last = found[-1]
                succeeded = await self._shrink(root, [one.path for one in found]) or succeeded
                await self._release_due(root)
            elif succeeded:
                succeeded, last = False, None
            else:
                return True
        return False

    async def _shrink(self, root: Root, paths: Sequence[str]) -> bool:
        """Takes these one stage further. Whether any could be."""
        before = await self.journal.known(root.path, paths)
        await self.pipeline.run(self._each(root, before))
        after = await self.journal.known(root.path, paths)
        return any(after[path].decision != known.decision for path, known in before.items())

    async def _aging(self, root: Root, after: Aging | None, lacking: int) -> Sequence[Aging]:
        """The next ones, as many as are needed."""
        stage = self.house.rules.last_stage
        found = await self.journal.using(lambda writer: writer.aging(root.path, stage, after, _AT_ONCE))
        return _needed(found, lacking)

    async def _each(self, root: Root, known: Mapping[str, Known]) -> AsyncIterator[Candidate]:
        """Those that are as the ledger knows them, with the rules of the stage that is next for each."""
        for path, fact in known.items():
            now = self.house.rules.for_path(path)
            rules = None if now.left_alone(datetime.now(UTC)) else now.next_for(fact)
            if rules is None or not self._may_go_on(root):
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
