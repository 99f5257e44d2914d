"""The breaker at work: asked before each replacement, told of each decision, durable in the ledger."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from daemon.breaker import Breaker
from daemon.house import House
from daemon.journal import Journal
from daemon.life import Acting
from daemon.log import log
from daemon.openings import facts_of, name_of
from daemon.sheet import Sheet
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage.ledger.breakers import Opening, Outcome
from storage.ledger.writer import Writer
from storage.reading import Picture
from storage.records import Draft, Place

_LEARNED: Final = 50_000
"""Decisions from which a start learns what is usual: the newest of all cameras."""


def breaker_of(writer: Writer, outcomes: Iterable[Outcome], max_daily_share: float, now: datetime) -> Breaker:
    """The breaker as the ledger knows it: what is open, and what is usual since the last resumption."""
    breaker = Breaker(max_daily_share, writer.openings())
    resumed = writer.resumptions()
    for outcome in outcomes:
        if not any(one.at > outcome.at and one.covers(outcome.root, outcome.camera) for one in resumed):
            breaker.learn(outcome)
    if max_daily_share < 1:
        resumed_today = {one.root for one in resumed if one.camera is None and one.at.date() == now.date()}
        for root, (known, replaced) in writer.root_bytes(now.date()).items():
            breaker.learn_root(root, known, now.date(), 0 if root in resumed_today else replaced)
    return breaker


@dataclass(frozen=True, slots=True)
class Breaking:
    """Belongs to one event loop."""

    breaker: Breaker
    journal: Journal

    def check(self, place: Place) -> None:
        """Raises Kept where nothing is to be replaced."""
        if opening := self.breaker.opening_for(place.root, place.camera):
            raise Kept(Reason.BREAKER, opening.cause)

    async def observe(self, draft: Draft) -> None:
        """Raises LedgerError."""
        if opening := self.breaker.observe(Outcome.of(draft)):
            log.error("breaker_opened", where=name_of(opening), cause=opening.cause, remedy="framekeep resume")
            await self.journal.using(lambda writer: _record(writer, opening))

    async def refresh(self) -> bool:
        """Learns what a person has resumed since. True: something was."""
        if not self.breaker.openings:
            return False
        left = await self.journal.using(Writer.openings)
        resumed = [opening for opening in self.breaker.openings if opening not in left]
        for opening in resumed:
            log.info("breaker_resumed", where=name_of(opening))
            self.breaker.forget(opening)
        return bool(resumed)


def open_breaking(house: House, journal: Journal) -> Breaking:
    """Raises LedgerError."""
    share, now = house.config.breaker.max_daily_share, datetime.now(UTC)
    outcomes = house.reader.last_outcomes(_LEARNED)
    breaking = Breaking(house.ledger.submit(breaker_of, house.writer, outcomes, share, now).result(), journal)
    for opening in breaking.breaker.openings:
        log.error("breaker_open", where=name_of(opening), cause=opening.cause, remedy="framekeep resume")
    return breaking


@dataclass(frozen=True, slots=True)
class Guarded:
    """Acting that the breaker watches and can stop."""

    acting: Acting
    breaking: Breaking

    def in_flight(self, sheet: Sheet) -> AbstractContextManager[None]:
        return self.acting.in_flight(sheet)

    async def recognise(self, sheet: Sheet, picture: Picture) -> bytes:
        data = await self.acting.recognise(sheet, picture)
        await self._spare_a_second_look(sheet, picture)
        return data

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        self.breaking.check(sheet.candidate.place)
        draft = await self.acting.replace(sheet, written)
        await self.breaking.observe(draft)
        return draft

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        draft = await self.acting.keep(sheet, kept)
        await self.breaking.observe(draft)
        return draft

    async def _spare_a_second_look(self, sheet: Sheet, picture: Picture) -> None:
        """While the breaker is open, every rescan brings the pictures again that it stopped."""
        place = sheet.candidate.place
        if self.breaking.breaker.opening_for(place.root, place.camera) is None:
            return
        if sheet.stands:
            self.breaking.check(place)
        known = (await self.breaking.journal.known(place.root, [place.path])).get(place.path)
        fingerprint = sheet.rules.settings.fingerprint
        if known and (known.reason, known.sha256_before, known.fingerprint) == (
            Reason.BREAKER,
            picture.sha256,
            fingerprint,
        ):
            self.breaking.check(place)


def _record(writer: Writer, opening: Opening) -> None:
    writer.open_breaker(opening)
    writer.note("breaker_opened", facts_of(opening))
