"""Why a picture becomes what it becomes: every variant seen, as the paper's exhaustive way does, and the choice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from PIL.Image import Image

from framekeep.evidence import Evidence
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Original
from framekeep.keepers.base import Keeper
from framekeep.keepers.objects import Comparison, detections_of, object_keeper_in
from framekeep.ladder import Ladder, Rung
from framekeep.models.base import Model
from framekeep.reasons import Kept, Reason
from framekeep.regions.coefficients import ImpossibleError
from framekeep.regions.rule import OFF, Region, RegionRule, regions_in
from framekeep.regions.shrinking import Shrunk, shrink_around
from framekeep.search import NEVER, exhaustive, run
from framekeep.variants import Encoder, Variant, Written, around, climb, limited, settle_on

Apart: TypeAlias = Callable[[bytes, tuple[Region, ...], Rung], Shrunk]

_NO_SMALLER: Final = "not smaller"


@dataclass(frozen=True, slots=True)
class Rule:
    """All that decides besides the picture and the model."""

    keeper: Keeper
    ladder: Ladder
    encoder: Encoder
    min_saving: float
    regions: RegionRule = OFF


@dataclass(frozen=True, slots=True)
class Seen:
    """A variant that was looked at. It qualifies where nothing costs less, the original included; `why` not."""

    variant: Variant
    evidence: Evidence
    cost: float
    qualifies: bool
    why: str
    objects: Comparison | None = None
    """What was lost and what is new, where the keeper compares objects."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was seen in the original and in each variant, in the ladder's order, and what follows from it."""

    original: Evidence
    variants: tuple[Seen, ...]
    outcome: Written | Kept
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
    image = decode(original.data)
    (evidence,) = model.look([model.prepare(image)])
    regions = regions_in(evidence.detections, rule.regions, image.size)
    try:
        return _explained(original, squeezed, rule, model, _Climbing(image, evidence, regions, apart))
    except ImpossibleError as error:
        plain = _explained(original, squeezed, rule, model, _Climbing(image, evidence, (), apart))
        outcome = plain.outcome
        if isinstance(outcome, Written) and outcome.rung:
            outcome = replace(outcome, reason=Reason.WHOLE_FRAME)
        return replace(plain, outcome=outcome, note=str(error))


@dataclass(frozen=True, slots=True)
class _Climbing:
    """The decoded original, what was seen in it, and what stays apart."""

    image: Image
    evidence: Evidence
    regions: tuple[Region, ...]
    apart: Apart

    def ladder(self, rule: Rule) -> Ladder:
        return rule.regions.pairs(rule.ladder) if self.regions else rule.ladder

    def to(self, rung: Rung, original: Original, encoder: Encoder) -> Variant:
        if rung.objects is None:
            return climb(original, self.image, rung, encoder)
        return around(original, self.apart(original.data, self.regions, rung), rung)


def _explained(
    original: Original, squeezed: bytes | None, rule: Rule, model: Model, climbing: _Climbing
) -> Explanation:
    evidence, ladder = climbing.evidence, climbing.ladder(rule)
    variants = [climbing.to(rung, original, rule.encoder) for rung in ladder.rungs]
    others = model.look([model.prepare(decode(variant.data)) for variant in variants])
    pairs = list(zip(variants, others, strict=True))
    judged = [_judged(original, evidence, *pair, rule.keeper) for pair in pairs]
    original_cost = rule.keeper.original_cost(evidence)
    least = min([original_cost, *(cost for cost, _ in judged)])
    seen = tuple(
        Seen(*pair, cost, cost == least, "" if cost == least else why, _objects(evidence, pair[1], rule.keeper))
        for pair, (cost, why) in zip(pairs, judged, strict=True)
    )
    j = run(exhaustive(len(seen), original_cost), lambda j: seen[j - 1].cost)
    chosen = limited(seen[j - 1].variant, ladder, rule.keeper.lowest_quality(evidence)) if j else None
    return Explanation(evidence, seen, _outcome(original, squeezed, chosen, rule), climbing.regions)


def _judged(
    original: Original, evidence: Evidence, variant: Variant, of_variant: Evidence, keeper: Keeper
) -> tuple[float, str]:
    lowest = keeper.lowest_quality(evidence)
    if variant.rung.quality < lowest:
        return NEVER, f"objects found: at least q{lowest}"
    if len(variant.data) >= len(original.data):
        return NEVER, _NO_SMALLER
    verdict = keeper.judge(evidence, of_variant)
    return verdict.cost, verdict.why


def _objects(evidence: Evidence, of_variant: Evidence, keeper: Keeper) -> Comparison | None:
    object_keeper = object_keeper_in(keeper)
    return object_keeper.compare(*map(detections_of, (evidence, of_variant))) if object_keeper else None


def _outcome(original: Original, squeezed: bytes | None, chosen: Variant | None, rule: Rule) -> Written | Kept:
    try:
        return settle_on(original, squeezed, chosen, rule.encoder, rule.min_saving)
    except Kept as kept:
        return kept
