"""The life of a picture, from settled to confirmed, on one screen.

    read → climb → look → choose → plan → replace → confirm

What decides does no I/O, what acts decides nothing. All work happens elsewhere (Stages): in codec threads, in one batch
of looks over every picture in flight, in one ledger thread that groups commits, in threads that wait for disks.
"""

import time
from contextlib import AbstractContextManager
from typing import Protocol

from PIL.Image import Image

from daemon.sheet import Sheet
from daemon.stages import Stages
from framekeep.evidence import Evidence
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Original, understand
from framekeep.models.base import Prepared
from framekeep.models.describing import headline
from framekeep.reasons import Kept, Reason
from framekeep.search import NEVER, lazy
from framekeep.variants import Variant, Written, climb, settle_on
from storage.reading import Picture, read
from storage.records import Draft


class Acting(Protocol):
    """What follows from a choice: the replacement with its journal or, in a dry run, nothing."""

    def in_flight(self, sheet: Sheet) -> AbstractContextManager[None]:
        """While this lasts a crash makes the picture a suspect."""

    async def recognise(self, sheet: Sheet, picture: Picture) -> None:
        """Raises Kept where this very content needs no look: framekeep wrote it, or it was decided before."""

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        """Plans, replaces, confirms. Raises Kept where the path no longer holds what was read."""

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        """Records that the picture stays as it is."""


async def live(stages: Stages, acting: Acting, sheet: Sheet) -> Draft:
    """Takes one settled file to its decision, exactly one."""
    try:
        picture = await _read(stages, acting, sheet)
        with acting.in_flight(sheet):
            original = await stages.codec(understand, picture.data, sheet.rules.limits)
            async with stages.pixels.spending(original.width * original.height):
                chosen = await _choose(stages, sheet, original)
                written = await _settle_on(stages, sheet, original, chosen)
        return await acting.replace(sheet, written)
    except Kept as kept:
        return await acting.keep(sheet, kept)


async def _read(stages: Stages, acting: Acting, sheet: Sheet) -> Picture:
    if not sheet.candidate.settled:
        raise Kept(Reason.UNSETTLED)
    sheet.rules.check_age(sheet.candidate.identity, time.time_ns())
    with sheet.timing("read"):
        candidate = sheet.candidate
        picture = await stages.disk(read, candidate.tree, candidate.path, sheet.rules.limits.max_bytes)
        if picture.identity != candidate.identity:
            raise Kept(Reason.UNSETTLED, "it changed after it had settled")
        sheet.sha256 = picture.sha256
        await acting.recognise(sheet, picture)
    return picture


async def _choose(stages: Stages, sheet: Sheet, original: Original) -> Variant | None:
    """Drives the search; None: the original."""
    keeper, rungs = sheet.rules.keeper, sheet.rules.ladder.rungs
    image, evidence = await _look_at_original(stages, sheet, original)
    variants: dict[int, Variant] = {}
    search = lazy(len(rungs), keeper.original_cost(evidence))
    try:
        j = next(search)
        while True:
            with sheet.timing("climb"):
                variants[j], prepared = await stages.codec(_climb, stages, sheet, original, image, j)
            seen = await _look(stages, sheet, prepared) if prepared is not None else None
            j = search.send(keeper.judge(evidence, seen).cost if seen else NEVER)
    except StopIteration as end:
        return variants.get(end.value)


async def _settle_on(stages: Stages, sheet: Sheet, original: Original, chosen: Variant | None) -> Written:
    encoder, min_saving = sheet.rules.encoder, sheet.rules.min_saving
    with sheet.timing("climb"):
        squeezed = await stages.squeeze(original.data) if encoder.progressive else None
        return await stages.codec(settle_on, original, squeezed, chosen, encoder, min_saving)


async def _look_at_original(stages: Stages, sheet: Sheet, original: Original) -> tuple[Image, Evidence]:
    with sheet.timing("climb"):
        image, prepared = await stages.codec(_decode, stages, original.data)
    evidence = await _look(stages, sheet, prepared)
    sheet.label, sheet.probability = headline(evidence, stages.model.class_names, sheet.rules.min_confidence)
    return image, evidence


async def _look(stages: Stages, sheet: Sheet, prepared: Prepared) -> Evidence:
    sheet.looks += 1
    with sheet.timing("look"):
        return await stages.look(prepared)


def _decode(stages: Stages, data: bytes) -> tuple[Image, Prepared]:
    image = decode(data)
    return image, stages.model.prepare(image)


def _climb(stages: Stages, sheet: Sheet, original: Original, image: Image, j: int) -> tuple[Variant, Prepared | None]:
    """Variant j, and what the model is to see of it: nothing where it is no smaller than the original."""
    variant = climb(original, image, sheet.rules.ladder.rungs[j - 1], sheet.rules.encoder)
    if len(variant.data) >= len(original.data):
        return variant, None
    return variant, _decode(stages, variant.data)[1]
