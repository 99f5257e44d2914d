"""What the checker found, and how it is added up."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BAD: Final = ("lost", "damaged", "half_written")
STOPPED: Final = "stopped_by_breaker"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts by kind, and a sentence for each thing that somebody may want to look at."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: tuple[str, ...] = ()

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(self.counts + other.counts, self.findings + other.findings)

    @property
    def is_clean(self) -> bool:
        return not any(self.counts[kind] for kind in BAD)

    def during(self, what: str) -> "Verdict":
        """The same, with what was going on before each finding."""
        return Verdict(self.counts, tuple(f"{what}: {finding}" for finding in self.findings))


def found(kind: str, *findings: str, count: int = 1) -> Verdict:
    return Verdict(Counter({kind: count}), tuple(f"{kind}: {finding}" for finding in findings))
