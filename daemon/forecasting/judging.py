"""What a sweep would do with one picture under a keeper, judged from what was seen in all of its variants. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from framekeep.evidence import Evidence
from framekeep.keepers.base import Keeper, Need
from framekeep.ladder import Ladder
from framekeep.reasons import Reason
from framekeep.search import NEVER, lazy, run
from framekeep.variants import Variant

Seconds = Mapping[Need, float]
"""By the kind of evidence that is wanted: what a sweep needs for that."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A variant that was made and looked at; no evidence where it is no smaller than the original."""

    variant: Variant
    evidence: Evidence | None
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Choice:
    """The variant to keep, None for the original, and the seconds that a lazy search takes to find it."""

    variant: Variant | None
    seconds: float


def choose(keeper: Keeper, ladder: Ladder, original: Evidence, seen: Sequence[Seen]) -> Choice:
    """As a lazy search chooses; `seen` in the ladder's order. The seconds are those of its looks at variants."""
    (need,) = keeper.needs
    rungs = ladder.from_quality(keeper.lowest_quality(original))
    looked = []

    def cost(j: int) -> float:
        one = seen[j - 1]
        looked.append(one.seconds[need])
        return NEVER if one.evidence is None else keeper.judge(original, one.evidence).cost

    j = run(lazy(len(rungs), keeper.original_cost(original)), cost)
    return Choice(seen[j - 1].variant if j else None, sum(looked))


@dataclass(frozen=True, slots=True)
class Tried:
    """For each option: the fraction of a picture's bytes that is left, a sweep's seconds, whether it recognises any.

    `kept` is why no option would change the picture.
    """

    left: tuple[float, ...]
    seconds: tuple[float, ...]
    recognised: tuple[bool, ...]
    kept: Reason | None = None

    @classmethod
    def unchanged(cls, options: int, kept: Reason) -> Self:
        """What is left as it is costs nothing worth counting."""
        return cls((1.0,) * options, (0.0,) * options, (False,) * options, kept)
