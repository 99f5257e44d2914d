"""What a keeper is, and how keepers compose."""

from dataclasses import dataclass
from typing import Protocol

from framekeep.evidence import Evidence


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

    def original_cost(self, original: Evidence) -> int:
        """What keeping the original costs: 0 for every keeper but HRS."""

    def judge(self, original: Evidence, variant: Evidence) -> Verdict:
        """What keeping the variant instead costs."""


@dataclass(frozen=True, slots=True)
class All:
    """Keeps the largest j for which each of its keepers holds."""

    keepers: tuple[Keeper, ...]

    @property
    def name(self) -> str:
        return ",".join(keeper.name for keeper in self.keepers)

    def original_cost(self, original: Evidence) -> int:
        return max(keeper.original_cost(original) for keeper in self.keepers)

    def judge(self, original: Evidence, variant: Evidence) -> Verdict:
        verdicts = (keeper.judge(original, variant) for keeper in self.keepers)
        return next((verdict for verdict in verdicts if not verdict.qualifies), QUALIFIES)
