"""What a sweep would do with one picture under a keeper, judged from what is seen in its variants. Pure."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Self

from framekeep.evidence import Evidence
from framekeep.keepers.base import Keeper, Need
from framekeep.reasons import Reason
from framekeep.search import NEVER, lazy
from framekeep.variants import Variant

Seconds = Mapping[Need, float]
"""By the kind of evidence that is wanted: what a sweep needs for that."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A variant that was made and looked at; nothing where there is none that may be looked at."""

    variant: Variant | None
    evidence: Evidence | None
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Choice:
    """The variant to keep, None for the original, and the seconds that a lazy search takes to find it."""

    variant: Variant | None
    seconds: float


Choosing = Generator[int, Seen, Choice]
"""Yields the number of the variant that it wants seen, the smallest first, and ends with its choice."""


def choosing(keeper: Keeper, original: Evidence, rungs: int) -> Choosing:
    """As a lazy search chooses. The seconds are those of its looks at variants."""
    (need,) = keeper.needs
    search = lazy(rungs, keeper.original_cost(original))
    variant, seconds = None, 0.0
    try:
        j = next(search)
        while True:
            seen = yield j
            variant, seconds = seen.variant, seconds + seen.seconds[need]
            j = search.send(NEVER if seen.evidence is None else keeper.judge(original, seen.evidence).cost)
    except StopIteration as end:  # only HRS, which is no option, may choose a variant before the last
        return Choice(variant if end.value else None, seconds)


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
