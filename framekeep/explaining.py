"""Why a picture becomes what it becomes: every variant seen, as the paper's exhaustive way does, and the choice."""

from dataclasses import dataclass
from typing import Final

from framekeep.evidence import Evidence
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Original
from framekeep.keepers.base import Keeper
from framekeep.keepers.objects import Comparison, detections_of, object_keeper_in
from framekeep.ladder import Ladder
from framekeep.models.base import Model
from framekeep.reasons import Kept
from framekeep.search import NEVER, exhaustive, run
from framekeep.variants import Encoder, Variant, Written, climb, limited, settle_on

_NO_SMALLER: Final = "not smaller"


@dataclass(frozen=True, slots=True)
class Rule:
    """All that decides besides the picture and the model."""

    keeper: Keeper
    ladder: Ladder
    encoder: Encoder
    min_saving: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A variant that was looked at; `why` tells in a few words why it does not qualify."""

    variant: Variant
    evidence: Evidence
    cost: float
    why: str
    objects: Comparison | None = None
    """What was lost and what is new, where the keeper compares objects."""

    @property
    def qualifies(self) -> bool:
        return self.cost == 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was seen in the original and in each variant, in the ladder's order, and what follows from it."""

    original: Evidence
    variants: tuple[Seen, ...]
    outcome: Written | Kept


def explain(original: Original, squeezed: bytes | None, rule: Rule, model: Model) -> Explanation:
    """Looks at every variant; `squeezed` is as `settle_on` wants it.

    Raises Kept for a picture that cannot be looked at, and what `Model.look` raises.
    """
    image = decode(original.data)
    variants = [climb(original, image, rung, rule.encoder) for rung in rule.ladder.rungs]
    prepared = [model.prepare(image), *(model.prepare(decode(variant.data)) for variant in variants)]
    evidence, *others = model.look(prepared)
    seen = tuple(_seen(original, evidence, *one, rule) for one in zip(variants, others, strict=True))
    j = run(exhaustive(len(seen), rule.keeper.original_cost(evidence)), lambda j: seen[j - 1].cost)
    chosen = limited(seen[j - 1].variant, rule.ladder, rule.keeper.lowest_quality(evidence)) if j else None
    return Explanation(evidence, seen, _outcome(original, squeezed, chosen, rule))


def _seen(original: Original, evidence: Evidence, variant: Variant, of_variant: Evidence, rule: Rule) -> Seen:
    cost, why = _judged(original, evidence, variant, of_variant, rule.keeper)
    return Seen(variant, of_variant, cost, why, _objects(evidence, of_variant, rule.keeper))


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
