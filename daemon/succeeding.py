"""Later stages: a picture that was shrunk is decided anew, from the original that the vault holds.

What was seen and searched for is as for a fresh picture; only the claim on the original comes before the staging, so
that nobody releases or restores it meanwhile (storage/succession.py).
"""

import hashlib
from collections.abc import Mapping
from functools import partial

from daemon.journal import Journal
from daemon.log import log
from daemon.sheet import Sheet, Source, Stands
from daemon.stages import Stages
from daemon.swapping import check_unheld, stage, swap_in
from framekeep.reasons import Kept, Reason, Standing
from framekeep.variants import Written
from storage import succession
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.holds import HoldBook
from storage.reading import Picture
from storage.records import Draft, Known, Tried, VaultEntry
from storage.replacement import Swap, Unfinished
from storage.root import Root, Tree
from storage.vault import identity_of, original_of


class Succeeding:
    """Acting for pictures whose variant stands already."""

    def __init__(self, stages: Stages, journal: Journal, roots: Mapping[str, Root], holds: HoldBook) -> None:
        self._stages = stages
        self._journal = journal
        self._roots = roots
        self._holds = holds

    async def original(self, sheet: Sheet, picture: Picture, known: Known) -> bytes:
        """The bytes to decide on anew. Raises Kept where the vault does not hold them, or a hold covers them."""
        place = sheet.candidate.place
        sheet.stands = Stands(known.decision)
        held = await self._journal.using(lambda writer: writer.entry_of(place.root, place.path))
        source, data = await self._stages.disk(source_of, self._roots[place.root], held, picture)
        sheet.stands, sheet.sha256 = Stands(known.decision, source), source.held.sha256_before
        await self._stages.bandwidth.spend(len(data))
        await self._stages.disk(check_unheld, self._holds, sheet, data)
        return data

    async def keep(self, sheet: Sheet, stands: Stands, kept: Kept) -> Draft:
        """Nothing changes, and a reason that stands is remembered."""
        if kept.reason.standing is Standing.FINAL:
            tried = Tried(stands.decision, sheet.rules.settings, kept.reason, kept.note)
            await self._journal.using(lambda writer: writer.tried(tried))
        return sheet.kept(kept)

    async def replace(self, sheet: Sheet, source: Source, written: Written) -> Draft:
        """Claims, replaces, confirms. Raises Kept where what stands is as small, or somebody else was faster."""
        check_smaller(source, written, sheet.rules.min_saving)
        held = source.held
        mark = Mark(held.sha256_before, hashlib.sha256(written.data).digest(), held.entry)
        draft = sheet.replaced(written, mark)
        decision = await self._journal.using(lambda writer: writer.plan_next(draft))
        if decision is None:
            raise Kept(Reason.UNSETTLED, "its original has left the vault, or is on its way back")
        swap = Swap(sheet.candidate.path, sheet.identity, mark, held.sha256_after)
        try:
            identity = await self._swapped(sheet, swap, written.data, draft)
        except Kept as kept:
            await self._journal.abandon(decision, kept)
            raise
        except Unfinished as unfinished:
            log.error("replacement_unfinished", path=swap.path, error=str(unfinished), outcome="the next start repairs")
            return sheet.kept(Kept(Reason.ERROR, str(unfinished)))
        await self._journal.confirm(decision, identity)
        await self._stages.disk(_drop, self._roots[held.place.root], held.entry)
        return draft

    async def _swapped(self, sheet: Sheet, swap: Swap, variant: bytes, draft: Draft) -> FileIdentity:
        root = self._roots[draft.place.root]
        await self._stages.bandwidth.spend(len(variant))
        await self._stages.disk(stage, root, swap, variant, draft)
        return await self._stages.disk(swap_in, root, swap, partial(check_unheld, self._holds, sheet, variant))


def source_of(tree: Tree, held: VaultEntry | None, picture: Picture) -> tuple[Source, bytes]:
    """The original of the variant that stands, with its bytes. Raises Kept where the vault does not hold it."""
    if held is None or held.sha256_after != picture.sha256:
        raise Kept(Reason.NO_ORIGINAL)
    return Source(held, identity_of(tree, held)), original_of(tree, held)


def check_smaller(source: Source, written: Written, min_saving: float) -> None:
    """Raises Kept where what would be written saves too little of what stands."""
    stands, size = source.held.bytes_after, len(written.data)
    if size >= stands or stands - size < min_saving * stands:
        raise Kept(Reason.WOULD_NOT_SHRINK, f"{size} bytes would take the place of {stands}")


def _drop(root: Root, entry: str) -> None:
    try:
        succession.drop(root, entry)
    except OSError as error:
        log.warning("variant_left_over", entry=entry, error=str(error), outcome="the next start removes it")
