"""Later stages: a picture that was shrunk is decided anew, from the original that the vault holds.

Where it holds it no longer, and that is allowed, from the variant that stands: a second generation, judged by what the
ledger keeps of the original's evidence. What comes out of that exchange goes to the vault, as an original does.

What was seen and searched for is as for a fresh picture; only the claim on the original comes before the staging, so
that nobody releases or restores it meanwhile (storage/succession.py).
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace as changed
from functools import partial
from typing import Final

from daemon.journal import Journal
from daemon.log import log
from daemon.recorded import evidence_in
from daemon.rules import Rules
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
from storage.records import Draft, Known, Lineage, Tried, VaultEntry
from storage.replacement import Swap, Unfinished
from storage.root import Root, Tree
from storage.vault import identity_of, original_of

_UNDER_WAY: Final = "a later stage or a restoration of it has begun and has not ended"


class Succeeding:
    """Acting for pictures whose variant stands already."""

    def __init__(self, stages: Stages, journal: Journal, roots: Mapping[str, Root], holds: HoldBook) -> None:
        self._stages = stages
        self._journal = journal
        self._roots = roots
        self._holds = holds

    async def original(self, sheet: Sheet, picture: Picture, known: Known) -> bytes:
        """The bytes to decide on anew. Raises Kept where they cannot be had, or a hold covers them."""
        sheet.stands = Stands(known.decision)
        lineage = await self._lineage(sheet, picture)
        root = self._roots[sheet.candidate.place.root]
        source, data = await self._stages.disk(source_of, root, lineage, picture, sheet.rules)
        start_from(sheet, known.decision, source)
        await self._stages.bandwidth.spend(len(data))
        await self._stages.disk(check_unheld, self._holds, sheet, data)
        return data

    async def tell_stage(self, sheet: Sheet, picture: Picture) -> None:
        """What is decided tells the stage of the variant that stands, where the path's last decision did not.

        Something was in the way of that one, a second name, say, and a stage that came meanwhile is not lost by that.
        """
        if lineage := await self._lineage(sheet, picture):
            sheet.rules = changed(sheet.rules, settings=changed(sheet.rules.settings, stage=lineage.stage))

    async def _lineage(self, sheet: Sheet, picture: Picture) -> Lineage | None:
        place = sheet.candidate.place
        return await self._journal.using(lambda writer: writer.lineage(place.root, place.path, picture.sha256))

    async def keep(self, sheet: Sheet, stands: Stands, kept: Kept) -> Draft:
        """Nothing changes, and a reason that stands is remembered."""
        if kept.reason.standing is Standing.FINAL:
            tried = Tried(stands.decision, sheet.rules.settings_for(kept.reason), kept.reason, kept.note)
            await self._journal.using(lambda writer: writer.tried(tried))
        return sheet.kept(kept)

    async def replace(self, sheet: Sheet, source: Source, written: Written) -> Draft:
        """Claims, replaces, confirms. Raises Kept where what stands is as small, or somebody else was faster."""
        check_smaller(source, written, sheet.rules.min_saving)
        held = source.lineage.held
        entry = held.entry if held else secrets.token_hex(16)
        mark = Mark(source.sha256, hashlib.sha256(written.data).digest(), entry)
        draft = sheet.replaced(written, mark)
        decision = await self._journal.using(lambda writer: writer.plan_next(draft))
        if decision is None:
            raise Kept(Reason.UNSETTLED, "its original has left the vault, or is on its way back")
        swap = Swap(sheet.candidate.path, sheet.identity, mark, held.sha256_after if held else None)
        try:
            identity = await self._swapped(sheet, swap, written.data, draft)
        except Kept as kept:
            await self._journal.abandon(decision, kept)
            raise
        except Unfinished as unfinished:
            log.error("replacement_unfinished", path=swap.path, error=str(unfinished), outcome="the next start repairs")
            return sheet.kept(Kept(Reason.ERROR, str(unfinished)))
        await self._journal.confirm(decision, identity)
        if held:  # else what came out is the vault's entry
            await self._stages.disk(_drop, self._roots[held.place.root], held.entry)
        return draft

    async def _swapped(self, sheet: Sheet, swap: Swap, variant: bytes, draft: Draft) -> FileIdentity:
        root = self._roots[draft.place.root]
        await self._stages.bandwidth.spend(len(variant))
        await self._stages.disk(stage, root, swap, variant, draft)
        return await self._stages.disk(swap_in, root, swap, partial(check_unheld, self._holds, sheet, variant))


def source_of(tree: Tree, lineage: Lineage | None, picture: Picture, rules: Rules) -> tuple[Source, bytes]:
    """What the variant that stands was made from, with its bytes or, where that is gone, this variant itself.

    Raises Kept where the camera's original is gone, and the rules do not allow to start from a variant, and where
    somebody else is at work on it.
    """
    if lineage is None:
        raise Kept(Reason.NO_ORIGINAL)
    if lineage.is_under_way:
        raise Kept(Reason.UNSETTLED, _UNDER_WAY)
    if (lineage.held is None or lineage.generation > 1) and not rules.second_generation:
        raise Kept(Reason.NO_ORIGINAL)
    if lineage.held is None:
        return Source(lineage, picture.sha256, picture.identity), picture.data
    held = lineage.held
    return Source(lineage, held.sha256_before, identity_of(tree, held)), _bytes_of(tree, held)


def _bytes_of(tree: Tree, held: VaultEntry) -> bytes:
    try:
        return original_of(tree, held)
    except Kept as kept:
        if kept.reason is Reason.HARD_LINKED:  # a restoration, which has begun since the ledger was asked
            raise Kept(Reason.UNSETTLED, _UNDER_WAY) from kept
        raise


def start_from(sheet: Sheet, decision: int, source: Source) -> None:
    """`decision`: the last one of its path. Raises Kept where what is made from it could not be judged."""
    if source.generation > 1:
        sheet.recorded = evidence_in(source.lineage.recorded, sheet.rules)
    sheet.stands, sheet.sha256 = Stands(decision, source), source.sha256


def check_smaller(source: Source, written: Written, min_saving: float) -> None:
    """Raises Kept where what would be written saves too little of what stands."""
    stands, size = source.lineage.bytes_after, len(written.data)
    if size >= stands or stands - size < min_saving * stands:
        raise Kept(Reason.WOULD_NOT_SHRINK, f"{size} bytes would take the place of {stands}")


def _drop(root: Root, entry: str) -> None:
    try:
        succession.drop(root, entry)
    except OSError as error:
        log.warning("variant_left_over", entry=entry, error=str(error), outcome="the next start removes it")
