"""All figures of one network on one data set: what tables, pages and JSON are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from study.claims import check_all
from study.measuring import Gains, Measured, Measures, Resampling
from study.observations import Conditions, Observations
from study.selecting import Choices, constant, default, highest_rank, keeping

KEEPERS: Final = {"t1k": (1,), "t5k": (5,), "ttk": (1, 5)}
SELECTORS: Final = ("default", "hrs", *KEEPERS)


@dataclass(frozen=True)
class NetworkReport:
    """What was measured of one network."""

    conditions: Conditions
    pictures: int
    parameters: int
    device: str
    selectors: dict[str, Measures]
    """By the names in SELECTORS."""
    hrs_gains: Gains
    keeper_gains: dict[str, Gains]
    """By the names in KEEPERS; what they lose of accuracy is below 0."""
    histograms: dict[str, list[int]]
    """Of each selector but the default: how many pictures got variant j."""
    constants: dict[int, Measures]
    """By QF: the same for all pictures."""
    confident: dict[float, dict[str, Measures]]
    """By min_confidence: the keepers with a reject option."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A network that was asked for, but whose weights are not to be had here."""

    name: str
    why: str


def report(
    seen: Observations, parameters: int, device: str, min_confidences: Sequence[float], resampling: Resampling
) -> NetworkReport:
    """Measures every selector. Raises BrokenClaimError where something that is proved does not hold."""
    choices = selections(seen, min_confidences)
    check_all(seen, choices)
    measured = Measured(seen, choices, resampling)
    return NetworkReport(
        seen.conditions,
        len(seen),
        parameters,
        device,
        {name: measured.of(name) for name in SELECTORS},
        measured.gains("hrs", "default"),
        {name: measured.gains(name, "default") for name in KEEPERS},
        {name: _histogram(seen, choices[name]) for name in SELECTORS[1:]},
        {rung.quality: measured.of(rung.name) for rung in seen.ladder.rungs},
        {level: {name: measured.of(_confident(name, level)) for name in KEEPERS} for level in min_confidences},
    )


def selections(seen: Observations, min_confidences: Sequence[float] = ()) -> dict[str, Choices]:
    """What each selector takes: those of the paper, each rung ("q90"), the keepers with each min_confidence."""
    choices = {"default": default(seen), "hrs": highest_rank(seen)}
    choices |= {name: keeping(seen, counts) for name, counts in KEEPERS.items()}
    choices |= {rung.name: constant(seen, j) for j, rung in enumerate(seen.ladder.rungs, 1)}
    for level in min_confidences:
        choices |= {_confident(name, level): keeping(seen, counts, level) for name, counts in KEEPERS.items()}
    return choices


def _confident(name: str, level: float) -> str:
    return f"{name} {level:g}"


def _histogram(seen: Observations, chosen: Choices) -> list[int]:
    return [int((chosen == j).sum()) for j in range(seen.conditions.variants)]
