"""What a keeper is, and how keepers compose."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from framekeep.evidence import Evidence


class Need(Enum):
    """A kind of evidence, which one model makes."""

    PREDICTION = "prediction"
    DETECTIONS = "detections"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a variant costs (0: it qualifies), and why in a few words where it does not."""

    cost: int
    why: str = ""

    @property
    def qualifies(self) -> bool:
        return self.cost == 0


QUALIFIES = Verdict(0)


class Keeper(Protocol):
    """A rule. The only code besides the models that knows what evidence is."""

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> frozenset[Need]:
        """The kinds of evidence that it compares."""

    def original_cost(self, original: Evidence) -> int:
        """What keeping the original costs: 0 for every keeper but HRS."""

    def lowest_quality(self, original: Evidence) -> int:
        """The least QF that this picture may have, whatever is seen in its variants; 0 for any."""

    def judge(self, original: Evidence, variant: Evidence) -> Verdict:
        """What keeping the variant instead costs."""

    def excerpt(self, evidence: Evidence, class_names: Sequence[str]) -> dict[str, list[Any]]:
        """As much of the evidence as a judgement needs, in plain words and numbers that a record can keep.

        `labels`: [name, probability], likeliest first. `known`: [name, probability, rank] of the label that a picture
        is known to show. `objects`, which must be found again, and those that are `fainter`, which may be found again:
        [class, score, left, top, right, bottom].
        """


@dataclass(frozen=True, slots=True)
class All:
    """Keeps the largest j for which each of its keepers holds."""

    keepers: tuple[Keeper, ...]

    @property
    def name(self) -> str:
        return ",".join(keeper.name for keeper in self.keepers)

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset[Need]().union(*(keeper.needs for keeper in self.keepers))

    def original_cost(self, original: Evidence) -> int:
        return max(keeper.original_cost(original) for keeper in self.keepers)

    def lowest_quality(self, original: Evidence) -> int:
        return max(keeper.lowest_quality(original) for keeper in self.keepers)

    def judge(self, original: Evidence, variant: Evidence) -> Verdict:
        verdicts = (keeper.judge(original, variant) for keeper in self.keepers)
        return next((verdict for verdict in verdicts if not verdict.qualifies), QUALIFIES)

    def excerpt(self, evidence: Evidence, class_names: Sequence[str]) -> dict[str, list[Any]]:
        excerpts = [keeper.excerpt(evidence, class_names) for keeper in self.keepers]
        kinds = dict.fromkeys(kind for excerpt in excerpts for kind in excerpt)
        return {kind: max((excerpt.get(kind, []) for excerpt in excerpts), key=len) for kind in kinds}
