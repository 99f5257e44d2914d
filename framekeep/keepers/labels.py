"""Keepers of class labels: T1K and T5K (section 5) with a reject option, and HRS (section 3)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from framekeep.evidence import Evidence, Prediction
from framekeep.keepers.base import QUALIFIES, Need, Verdict

MARGIN: Final = 1e-3
"""What is nearer than this is too close to call: batch size or runtime could turn it.

Nearness is the logarithm of the ratio of two probabilities, so for two labels the distance of their logits: logits are
what rounding changes (by 2e-5), and on a camera's frame all but the first probabilities lie within 1e-3 of each other.
"""

_PREDICTION: Final = frozenset({Need.PREDICTION})


@dataclass(frozen=True, slots=True)
class Recognition:
    """The labels that count, and the smallest of the distances that decided which they are."""

    labels: frozenset[int]
    margin: float


def recognise(prediction: Prediction, count: int, min_confidence: float) -> Recognition:
    """Those of the `count` likeliest labels that reach `min_confidence`; none is "nothing recognised".

    What decides is each label's distance to `min_confidence` and, where the last of them counts, its distance to the
    next label.
    """
    top = prediction.top(count + 1)
    leaders, runners_up = top[:count], top[count:]
    distances = [_distance(p, min_confidence) for _, p in leaders] if min_confidence > 0 else []
    last = leaders[-1][1]
    if last >= min_confidence:
        distances += [_distance(last, p) for _, p in runners_up]
    labels = frozenset(label for label, p in leaders if p >= min_confidence)
    return Recognition(labels, min(distances, default=math.inf))


def _distance(one: float, other: float) -> float:
    if one == other:
        return 0.0
    return abs(math.log(one / other)) if one > 0 and other > 0 else math.inf


@dataclass(frozen=True, slots=True)
class LabelKeeper:
    """Keeps the set of the `count` likeliest labels: T1K with one, T5K with five.

    `margin` 0 is the paper to the letter.
    """

    name: str
    count: int
    min_confidence: float = 0.0
    margin: float = MARGIN

    @property
    def needs(self) -> frozenset[Need]:
        return _PREDICTION

    def original_cost(self, original: Evidence) -> int:  # noqa: ARG002 - the protocol's argument, which HRS needs
        return 0

    def lowest_quality(self, original: Evidence) -> int:  # noqa: ARG002 - the protocol's argument: labels ask for none
        return 0

    def judge(self, original: Evidence, variant: Evidence) -> Verdict:
        before, after = (recognise(prediction_of(e), self.count, self.min_confidence) for e in (original, variant))
        if before.labels != after.labels:
            return Verdict(1, f"top-{self.count} differs")
        if min(before.margin, after.margin) < self.margin:
            return Verdict(1, f"top-{self.count} too close to call")
        return QUALIFIES

    def excerpt(self, evidence: Evidence, class_names: Sequence[str]) -> dict[str, list[Any]]:
        return {"labels": _named(prediction_of(evidence), self.count + 1, class_names)}


@dataclass(frozen=True, slots=True)
class HighestRank:
    """HRS: the best rank of the known label (Theorem 1's optimal selector). Its cost is the rank minus one."""

    label: int
    name: str = "hrs"

    @property
    def needs(self) -> frozenset[Need]:
        return _PREDICTION

    def lowest_quality(self, original: Evidence) -> int:  # noqa: ARG002 - as above
        return 0

    def original_cost(self, original: Evidence) -> int:
        return prediction_of(original).rank(self.label) - 1

    def judge(self, original: Evidence, variant: Evidence) -> Verdict:  # noqa: ARG002 - the protocol's argument
        rank = prediction_of(variant).rank(self.label)
        return Verdict(rank - 1, "" if rank == 1 else f"rank {rank}")

    def excerpt(self, evidence: Evidence, class_names: Sequence[str]) -> dict[str, list[Any]]:
        prediction = prediction_of(evidence)
        known = _told(class_names[self.label], prediction.probabilities[self.label])
        return {"labels": _named(prediction, 1, class_names), "known": [[*known, prediction.rank(self.label)]]}


def _named(prediction: Prediction, count: int, class_names: Sequence[str]) -> list[Any]:
    return [_told(class_names[label], probability) for label, probability in prediction.top(count)]


def _told(name: str, probability: float) -> list[Any]:
    """As records keep it: more digits say nothing."""
    return [name, float(f"{probability:.6g}")]


def prediction_of(evidence: Evidence) -> Prediction:
    """The prediction that a label keeper needs. Raises ValueError where no classifier looked."""
    if evidence.prediction is None:
        raise ValueError("a label keeper needs a classifier's prediction")
    return evidence.prediction
