"""Acting in earnest: plan, replace, confirm. Every step is durable before the next begins."""

import hashlib
import secrets
from contextlib import AbstractContextManager

from daemon.journal import Journal
from daemon.log import log
from daemon.scanning import is_final
from daemon.sheet import Sheet
from daemon.stages import Stages
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage.attribute import Mark
from storage.in_flight import marked
from storage.reading import Picture
from storage.records import Draft
from storage.replacement import Swap, Unfinished, stage, swap_in
from storage.root import Root


class Replacing:
    """Replaces files of open roots, journalled in the ledger."""

    def __init__(self, stages: Stages, journal: Journal, roots: dict[str, Root]) -> None:
        self._stages = stages
        self._journal = journal
        self._roots = roots

    def in_flight(self, sheet: Sheet) -> AbstractContextManager[None]:
        return marked(self._roots[sheet.candidate.tree.path], sheet.candidate.path)

    async def recognise(self, sheet: Sheet, picture: Picture) -> None:
        if picture.is_marked:
            raise Kept(Reason.ALREADY_SHRUNK)
        if reason := await self._journal.origin(picture.sha256):
            raise Kept(reason)
        place = sheet.candidate.place
        known = (await self._journal.known(place.root, [place.path])).get(place.path)
        if known and known.sha256_before == picture.sha256 and is_final(known, sheet.rules.settings.fingerprint):
            raise Kept(known.reason, "the same content as before")

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        draft = sheet.kept(kept)
        await self._journal.record(draft)
        return draft

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        root = self._roots[sheet.candidate.tree.path]
        mark = Mark(sheet.sha256 or b"", hashlib.sha256(written.data).digest(), secrets.token_hex(16))
        swap = Swap(sheet.candidate.path, sheet.identity, mark)
        with sheet.timing("write"):
            await self._stages.disk(stage, root, swap, written.data)
        draft = sheet.replaced(written, mark)
        decision = await self._journal.plan(draft)
        try:
            identity = await self._stages.disk(swap_in, root, swap)
        except Kept as kept:
            await self._journal.abandon(decision, kept)
            return sheet.kept(kept)
        except Unfinished as unfinished:
            log.error("replacement_unfinished", path=swap.path, error=str(unfinished), outcome="the next start repairs")
            return sheet.kept(Kept(Reason.ERROR, str(unfinished)))
        await self._journal.confirm(decision, identity)
        return draft
