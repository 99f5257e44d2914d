"""Acting in earnest: plan, replace, confirm. Every step is durable before the next begins."""

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace as changed
from functools import partial

from daemon.journal import Journal
from daemon.log import log
from daemon.scanning import is_behind, is_final, is_shrunk
from daemon.sheet import Sheet
from daemon.stages import Stages
from daemon.succeeding import Succeeding
from daemon.swapping import check_unheld, stage, swap_in
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage.attribute import Mark
from storage.holds import HoldBook
from storage.in_flight import marked
from storage.reading import Picture
from storage.records import Draft
from storage.replacement import Swap, Unfinished
from storage.root import Root


class Replacing:
    """Replaces files of open roots, journalled in the ledger."""

    def __init__(self, stages: Stages, journal: Journal, roots: Mapping[str, Root], holds: HoldBook) -> None:
        self._stages = stages
        self._journal = journal
        self._roots = roots
        self._holds = holds
        self._succeeding = Succeeding(stages, journal, roots, holds)

    def in_flight(self, sheet: Sheet) -> AbstractContextManager[None]:
        return marked(self._roots[sheet.candidate.tree.path], sheet.candidate.path, sheet.rules.settings.stage)

    async def recognise(self, sheet: Sheet, picture: Picture) -> bytes:
        reason = Reason.ALREADY_SHRUNK if picture.is_marked else await self._journal.origin(picture.sha256)
        if reason and not (reason is Reason.ALREADY_SHRUNK and sheet.rules.settings.stage):
            raise Kept(reason)
        place = sheet.candidate.place
        known = (await self._journal.known(place.root, [place.path])).get(place.path)
        if reason:
            if known and is_behind(known, sheet.rules):
                return await self._succeeding.original(sheet, picture, known)
            if known and not is_shrunk(known):
                await self._succeeding.tell_stage(sheet, picture)
            raise Kept(reason)
        if known and known.sha256_before == picture.sha256 and is_final(known, sheet.rules):
            raise Kept(known.reason, "the same content as before")
        await self._stages.disk(check_unheld, self._holds, sheet, picture.data)
        return picture.data

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        if sheet.stands:
            return await self._succeeding.keep(sheet, sheet.stands, kept)
        draft = sheet.kept(kept)
        await self._journal.record(draft)
        return draft

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        if sheet.stands and sheet.stands.source:
            return await self._succeeding.replace(sheet, sheet.stands.source, written)
        root = self._roots[sheet.candidate.tree.path]
        mark = Mark(sheet.sha256 or b"", hashlib.sha256(written.data).digest(), secrets.token_hex(16))
        swap = Swap(sheet.candidate.path, sheet.identity, mark)
        draft = sheet.replaced(written, mark)
        await self._stages.bandwidth.spend(len(written.data))
        with sheet.timing("write"):
            await self._stages.disk(stage, root, swap, written.data, draft)
        draft = changed(draft, timings=sheet.timings)
        decision = await self._journal.plan(draft)
        try:
            unheld = partial(check_unheld, self._holds, sheet, written.data)
            identity = await self._stages.disk(swap_in, root, swap, unheld)
        except Kept as kept:
            await self._journal.abandon(decision, kept)
            return sheet.kept(kept)
        except Unfinished as unfinished:
            log.error("replacement_unfinished", path=swap.path, error=str(unfinished), outcome="the next start repairs")
            return sheet.kept(Kept(Reason.ERROR, str(unfinished)))
        await self._journal.confirm(decision, identity)
        return draft
