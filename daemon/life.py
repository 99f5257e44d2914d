"""The life of a picture, from settled to confirmed, on one screen.

    read → climb → look → choose → plan → replace → confirm

What decides does no I/O, what acts decides nothing. All work happens elsewhere (Stages): in codec threads, in one batch
of looks over every picture in flight, in one ledger thread that groups commits, in threads that wait for disks.
"""

import json
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, Protocol

from PIL.Image import Image

from daemon.climbing import Climbed, Climbing
from daemon.sheet import Sheet
from daemon.stages import Stages
from framekeep.evidence import Evidence
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Original, understand
from framekeep.models.base import Model, Prepared
from framekeep.models.describing import headline
from framekeep.order import Subject, limited
from framekeep.reasons import Kept, Reason
from framekeep.regions.coefficients import ImpossibleError
from framekeep.regions.rule import regions_in
from framekeep.search import NEVER, Search, lazy, quick
from framekeep.variants import Written, settle_on, squeezed_variant, worth_squeezing
from storage.reading import Picture, read
from storage.records import Draft

_AT_ONCE: Final = 2
"""Pictures of a life whose pixels are in memory: the original, and the variant that is looked at."""

_CONTENT: Final = 0.8
"""Of a file's bytes. A quick search that left no more does not ask whether the squeezed original has still fewer."""


class Acting(Protocol):
    """What follows from a choice: the replacement with its journal or, in a dry run, nothing."""

    def in_flight(self, sheet: Sheet) -> AbstractContextManager[None]:
        """While this lasts a crash makes the picture a suspect."""

    async def recognise(self, sheet: Sheet, picture: Picture) -> bytes:
        """What is to be looked at: the picture or, where it was shrunk and has reached a later stage, its original.

        Raises Kept where this very content needs no look: framekeep wrote it, or it was decided before.
        """

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        """Plans, replaces, confirms. Raises Kept where the path no longer holds what was read."""

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        """Records that the picture stays as it is."""


async def live(stages: Stages, acting: Acting, sheet: Sheet) -> Draft:
    """Takes one settled file to its decision, exactly one."""
    try:
        data = await _read(stages, acting, sheet)
        with acting.in_flight(sheet):
            original = await stages.codec(understand, data, sheet.rules.limits)
            async with stages.pixels.spending(_AT_ONCE * original.width * original.height):
                written = await _settle_on(stages, sheet, original, await _choose(stages, sheet, original))
        return await acting.replace(sheet, written)
    except Kept as kept:
        return await acting.keep(sheet, kept)


async def _read(stages: Stages, acting: Acting, sheet: Sheet) -> bytes:
    if not sheet.candidate.settled:
        raise Kept(Reason.UNSETTLED)
    candidate, max_bytes = sheet.candidate, sheet.rules.limits.max_bytes
    sheet.rules.check_age(candidate.identity, time.time_ns())
    await stages.bandwidth.spend(min(candidate.identity.size, max_bytes))
    with sheet.timing("read"):
        picture = await stages.disk(read, candidate.tree, candidate.path, max_bytes)
        if picture.identity != candidate.identity:
            raise Kept(Reason.UNSETTLED, "it changed after it had settled")
        sheet.sha256 = picture.sha256
        data = await acting.recognise(sheet, picture)
        sheet.rules = sheet.rules.for_picture(candidate.path)
    return data


async def _choose(stages: Stages, sheet: Sheet, original: Original) -> Climbed | None:
    """The variant to keep; None: the original."""
    rules = sheet.rules
    image, evidence = await _look_at_original(stages, sheet, original)
    subject = Subject(original, image, rules.encoder)
    lowest = max(rules.floor_quality, rules.keeper.lowest_quality(evidence))
    whole = await Climbing.begun(stages, subject, rules.ladder, lowest)
    regions = regions_in(evidence.detections, rules.regions, image.size)
    if not regions:
        return await _searched(stages, sheet, whole, evidence)
    try:
        apart = await Climbing.begun(stages, subject, rules.regions.pairs(rules.ladder), lowest, regions)
        return await _searched(stages, sheet, apart, evidence)
    except ImpossibleError as error:
        sheet.note = str(error)
        chosen = await _searched(stages, sheet, whole, evidence)
        return replace(chosen, variant=replace(chosen.variant, reason=Reason.WHOLE_FRAME)) if chosen else None


async def _searched(stages: Stages, sheet: Sheet, climbing: Climbing, evidence: Evidence) -> Climbed | None:
    """Drives the search."""
    model, keeper = sheet.rules.model, sheet.rules.keeper
    search = _search(sheet, len(climbing.order), keeper.original_cost(evidence))
    climbed, last = None, 0
    try:
        j = next(search)
        while True:
            last, cost, climbed = j, NEVER, None  # the last one's pixels need not be there while these are made
            with sheet.timing("climb"):
                climbed = await climbing.to(j, stages, model)
            if climbed:
                seen = await _look(stages, sheet, climbed.prepared)
                cost = keeper.judge(evidence, seen).cost
                sheet.evidence_after[climbed.variant.rung.name] = _excerpt(sheet, seen)
            j = search.send(cost)
    except StopIteration as end:
        if end.value != last:  # made again: to keep every variant until the end would take much memory
            climbed = None
            climbed = await climbing.to(end.value, stages, model) if end.value else None
        if climbed is None:
            return None
        return replace(climbed, variant=limited(climbed.variant, climbing.order, climbing.ladder))


def _search(sheet: Sheet, rungs: int, original_cost: float) -> Search:
    guesses = sheet.followed_guesses
    if guesses is None:
        return lazy(rungs, original_cost)
    return quick(dict.fromkeys(min(guess, rungs) for guess in guesses if rungs), original_cost)


async def _settle_on(stages: Stages, sheet: Sheet, original: Original, chosen: Climbed | None) -> Written:
    encoder, min_saving = sheet.rules.encoder, sheet.rules.min_saving
    with sheet.timing("climb"):
        variant = None
        if chosen:
            variant = await stages.codec(squeezed_variant, original, chosen.variant, chosen.pixels, encoder)
            chosen = None  # its pixels have done what they were kept for
        squeezed = await stages.squeeze(original.data) if _may_win(sheet, original, variant) else None
        return await stages.codec(settle_on, original, squeezed, variant, min_saving)


def _may_win(sheet: Sheet, original: Original, variant: Written | None) -> bool:
    """Whether to squeeze the original: no variant that was squeezed already, nor where a quick search is content."""
    if sheet.recorded is not None or not sheet.rules.encoder.progressive:
        return False
    if sheet.followed_guesses is not None and variant and len(variant.data) <= _CONTENT * len(original.data):
        return False
    return worth_squeezing(original, variant)


async def _look_at_original(stages: Stages, sheet: Sheet, original: Original) -> tuple[Image, Evidence]:
    with sheet.timing("climb"):
        image, prepared = await stages.codec(_decode, sheet.rules.model, original.data)
    evidence = await _look(stages, sheet, prepared)
    if sheet.recorded:
        evidence = _as_recorded(sheet, sheet.recorded, evidence)
    sheet.label, sheet.probability = headline(evidence, sheet.rules.model.class_names, sheet.rules.min_confidence)
    sheet.evidence_before = _excerpt(sheet, evidence)
    return image, evidence


def _as_recorded(sheet: Sheet, recorded: Evidence, seen: Evidence) -> Evidence:
    """What was seen in the camera's original, which what a later generation starts from still has to show."""
    verdict = sheet.rules.keeper.judge(recorded, seen)
    if not verdict.qualifies:
        raise Kept(Reason.NO_EVIDENCE, f"what stands does not show it: {verdict.why}")
    return recorded


async def _look(stages: Stages, sheet: Sheet, prepared: Prepared) -> Evidence:
    sheet.looks += 1
    with sheet.timing("look"):
        return await stages.look(sheet.rules.model, prepared)


def _excerpt(sheet: Sheet, evidence: Evidence) -> str:
    """What the ledger keeps of the evidence."""
    excerpt = sheet.rules.keeper.excerpt(evidence, sheet.rules.model.class_names)
    return json.dumps(excerpt, ensure_ascii=False, separators=(",", ":"))


def _decode(model: Model, data: bytes) -> tuple[Image, Prepared]:
    image = decode(data)
    return image, model.prepare(image)
