"""Why a picture becomes what it becomes: every variant seen, as the paper's exhaustive way does, and the choice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from framekeep.evidence import Evidence
from framekeep.floor import Floor
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Original
from framekeep.keepers.base import Keeper
from framekeep.keepers.objects import Comparison, detections_of, object_keeper_in
from framekeep.ladder import PLAIN, Ladder, Rung
from framekeep.models.base import Model
from framekeep.order import Order, Subject, limited, order_of
from framekeep.reasons import Kept, Reason
from framekeep.regions.coefficients import ImpossibleError
from framekeep.regions.rule import OFF, Region, RegionRule, regions_in
from framekeep.regions.shrinking import Shrunk, shrink_around
from framekeep.search import NEVER, exhaustive, run
from framekeep.variants import Encoder, Variant, Written, around, climb, settle_on, squeezed_variant

Apart: TypeAlias = Callable[[bytes, tuple[Region, ...], Rung, str], Shrunk]

_NO_SMALLER: Final = "not smaller"


@dataclass(frozen=True, slots=True)
class Rule:
    """All that decides besides the picture and the model."""

    keeper: Keeper
    ladder: Ladder
    encoder: Encoder
    min_saving: float
    floor_quality: int = 0
    """The ladder's plain rungs are not below it."""
    regions: RegionRule = OFF


@dataclass(frozen=True, slots=True)
class Seen:
    """A variant that was looked at. It qualifies where nothing costs less, the original included; `why` not."""

    variant: Variant
    evidence: Evidence
    cost: float
    qualifies: bool
    why: str
    likeness: float
    """To the original, as a person sees it: see framekeep/likeness.py."""
    objects: Comparison | None = None
    """What was lost and what is new, where the keeper compares objects."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was seen in the original and in each variant, by falling size, and what follows from it.

    Of a mixed ladder there are only those variants that are smaller than the original and not below the floor.
    """

    original: Evidence
    variants: tuple[Seen, ...]
    outcome: Written | Kept
    floor: float | None
    """The likeness to the original that no variant falls below; None: there is no floor."""
    regions: tuple[Region, ...] = ()
    """What is protected in the original."""
    note: str = ""
    """Why its regions are not coded apart, where that was asked for and cannot be done."""


def explain(
    original: Original, squeezed: bytes | None, rule: Rule, model: Model, apart: Apart = shrink_around
) -> Explanation:
    """Looks at every variant; `squeezed` is as `settle_on` wants it, `apart` runs `shrink_around` in another process.

    Raises Kept for a picture that cannot be looked at, and what `Model.look` raises.
    """
    subject = Subject(original, decode(original.data), rule.encoder)
    evidence = model.look([model.prepare(subject.image)])[0]
    lowest = max(rule.floor_quality, rule.keeper.lowest_quality(evidence))
    floor = Floor.of(subject.image, lowest, rule.encoder.subsampling)
    regions, note = regions_in(evidence.detections, rule.regions, subject.image.size), ""
    try:
        climbed = _climbed(subject, rule, lowest, regions, apart)
    except ImpossibleError as error:
        regions, note = (), str(error)
        climbed = _climbed(subject, rule, lowest, regions, apart)
    others = model.look([model.prepare(decode(variant.data)) for variant in climbed.variants])
    seen = _seen(original, evidence, list(zip(climbed.variants, others, strict=True)), (rule.keeper, floor))
    j = run(exhaustive(len(seen), rule.keeper.original_cost(evidence)), lambda j: seen[j - 1].cost)
    chosen = limited(seen[j - 1].variant, climbed.order, climbed.ladder) if j else None
    if chosen and note:
        chosen = replace(chosen, reason=Reason.WHOLE_FRAME)
    return Explanation(evidence, seen, _outcome(original, squeezed, chosen, rule), floor.bound, regions, note)


@dataclass(frozen=True, slots=True)
class _Climbed:
    """A picture's variants by falling size, and the ladder that they are of, in its order."""

    variants: Sequence[Variant]
    order: Order
    ladder: Ladder


def _climbed(subject: Subject, rule: Rule, lowest: int, regions: tuple[Region, ...], apart: Apart) -> _Climbed:
    """Every rung of a ladder of one encoder is shown, of a mixed one what may be looked at. Raises ImpossibleError."""
    ladder = rule.regions.pairs(rule.ladder) if regions else rule.ladder
    order = order_of(subject, ladder, lowest)
    if ladder.is_mixed:
        upward = [order.variant(j) for j in range(len(order), 0, -1)]
        return _Climbed([variant for variant in upward if variant][::-1], order, ladder)

    def climbed(rung: Rung) -> Variant:
        if rung.objects is None:
            return climb(subject.original, subject.image, rung, subject.encoder)
        return around(subject.original, apart(subject.original.data, regions, rung, subject.encoder.subsampling), rung)

    return _Climbed([climbed(rung) for rung in ladder.rungs], order, ladder)


def _seen(
    original: Original, evidence: Evidence, pairs: Sequence[tuple[Variant, Evidence]], by: tuple[Keeper, Floor]
) -> tuple[Seen, ...]:
    keeper, floor = by
    judged = [_judged(original, evidence, *pair, by) for pair in pairs]
    least = min([keeper.original_cost(evidence), *(cost for cost, _ in judged)])
    return tuple(
        Seen(
            *(variant, of_variant, cost, cost == least, "" if cost == least else why),
            likeness=floor.likeness(variant.data),
            objects=_objects(evidence, of_variant, keeper),
        )
        for (variant, of_variant), (cost, why) in zip(pairs, judged, strict=True)
    )


def _judged(
    original: Original, evidence: Evidence, variant: Variant, of_variant: Evidence, by: tuple[Keeper, Floor]
) -> tuple[float, str]:
    keeper, floor = by
    lowest = keeper.lowest_quality(evidence)
    if variant.rung.encoder == PLAIN and variant.rung.quality < lowest:
        return NEVER, f"objects found: at least q{lowest}"
    if len(variant.data) >= len(original.data):
        return NEVER, _NO_SMALLER
    if variant.rung.objects is not None and not floor.holds(variant.data):
        return NEVER, "looks worse than the floor"
    verdict = keeper.judge(evidence, of_variant)
    return verdict.cost, verdict.why


def _objects(evidence: Evidence, of_variant: Evidence, keeper: Keeper) -> Comparison | None:
    object_keeper = object_keeper_in(keeper)
    return object_keeper.compare(*map(detections_of, (evidence, of_variant))) if object_keeper else None


def _outcome(original: Original, squeezed: bytes | None, chosen: Variant | None, rule: Rule) -> Written | Kept:
    try:
        variant = squeezed_variant(original, chosen, decode(chosen.data), rule.encoder) if chosen else None
        return settle_on(original, squeezed, variant, rule.min_saving)
    except Kept as kept:
        return kept
