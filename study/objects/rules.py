"""The rules that are compared: keepers, and the constant quality that an owner might take instead."""

from dataclasses import dataclass
from typing import Final, Protocol

from framekeep.evidence import Evidence
from framekeep.keepers.base import Keeper
from framekeep.keepers.labels import MARGIN
from framekeep.keepers.naming import keeper_of
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import Ladder, Rung
from framekeep.search import NEVER, exhaustive, run
from study.observations import Counting

_KEEPERS: Final = (("t1k", False), ("ttk", False), ("t1k", True), ("objects", False), ("t1k,objects", True))
"""Each with whether a label counts only from `min_confidence`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the comparison depends on besides the pictures and the models."""

    ladder: Ladder
    objects: ObjectRule
    min_confidence: float = 0.3
    counting: Counting = "daemon"


@dataclass(frozen=True, slots=True)
class Looked:
    """One picture's n+1 variants, 0 the original: bytes that count, which may be selected, and what was seen."""

    sizes: tuple[int, ...]
    eligible: tuple[bool, ...]
    seen: tuple[Evidence, ...]


class Rule(Protocol):
    @property
    def name(self) -> str:
        """As tables have it."""

    def choose(self, looked: Looked) -> int:
        """The selected j."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """A keeper's choice."""

    name: str
    keeper: Keeper
    min_confidence: float

    def choose(self, looked: Looked) -> int:
        original, *variants = looked.seen

        def cost(j: int) -> float:
            return self.keeper.judge(original, variants[j - 1]).cost if looked.eligible[j] else NEVER

        return run(exhaustive(len(variants), self.keeper.original_cost(original)), cost)


@dataclass(frozen=True, slots=True)
class Constant:
    """The same rung for every picture, whatever is seen in it; the original of a picture that it makes no smaller."""

    rung: Rung
    j: int

    @property
    def name(self) -> str:
        return f"QF {self.rung.quality}"

    def choose(self, looked: Looked) -> int:
        return self.j if looked.eligible[self.j] else 0


def rules_of(bounds: Bounds) -> tuple[Rule, ...]:
    """Keepers first, then every rung of the ladder but QF 100, by falling quality.

    In the daemon's way the keepers choose nothing that is too close to call; in the paper's way they are to the letter.
    """
    keepers = [_keeping(names, bounds.min_confidence if confident else 0.0, bounds) for names, confident in _KEEPERS]
    constants = [Constant(rung, j) for j, rung in enumerate(bounds.ladder.rungs, 1) if rung.quality < 100]  # noqa: PLR2004 - the QF that nobody takes to save space
    return (*keepers, *constants)


def _keeping(names: str, min_confidence: float, bounds: Bounds) -> Keeping:
    margin = MARGIN if bounds.counting == "daemon" else 0.0
    keeper = keeper_of(names, min_confidence, bounds.objects, margin=margin)
    return Keeping(f"{names} at {min_confidence:g}" if min_confidence else names, keeper, min_confidence)
