"""The keeper of detected objects: what a detector found in the original is found again in the variant.

Every object that the original has with a score of at least `min_score` needs one of its own in the variant: of the same
class, with an IoU of at least `iou` and a score of at least `min_score` - `slack`. And the other way round, unless
`lost_only`: what the variant shows with `min_score`, the original must have with at least `min_score` - `slack`.

Decided: pairs are made one to one by a maximum matching, so that in a crowd each person is found again and none counts
for two, and neither the order of boxes nor ties between them matter; which of several partners one gets is not asked.
Boxes that only touch have an IoU of 0. A picture without objects may become any in which none appears.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from framekeep.evidence import Detections, Evidence
from framekeep.keepers.base import QUALIFIES, All, Keeper, Need, Verdict
from framekeep.keepers.labels import MARGIN

_DETECTIONS: Final = frozenset({Need.DETECTIONS})


@dataclass(frozen=True, slots=True)
class ObjectRule:
    """What an administrator decides about objects."""

    min_score: float = 0.5
    slack: float = 0.1
    iou: float = 0.5
    classes: tuple[str, ...] = ()
    """The class names that matter; none: all."""
    lost_only: bool = False
    """New objects may appear."""
    quality_when_found: int = 0
    """The least QF of a picture in which something was found."""

    def __post_init__(self) -> None:
        if self.slack >= self.min_score:
            raise ValueError(f"slack ({self.slack:g}) should be smaller than min_score ({self.min_score:g})")

    def __str__(self) -> str:
        """As the ledger keeps it: equal for equal rules."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, words: str) -> "ObjectRule":
        """What `str` wrote."""
        fields = json.loads(words)
        return cls(**fields | {"classes": tuple(fields["classes"])})


@dataclass(frozen=True, slots=True)
class Comparison:
    """What has no partner: objects of the original (`lost`) and of the variant (`new`)."""

    lost: Detections
    new: Detections


@dataclass(frozen=True, slots=True)
class ObjectKeeper:
    """Keeps the detections. A score or an IoU within `margin` of its bound counts against the variant."""

    rule: ObjectRule = ObjectRule()
    margin: float = MARGIN
    name: str = "objects"

    @property
    def needs(self) -> frozenset[Need]:
        return _DETECTIONS

    def original_cost(self, original: Evidence) -> int:  # noqa: ARG002 - the protocol's argument, which HRS needs
        return 0

    def lowest_quality(self, original: Evidence) -> int:
        return self.rule.quality_when_found if len(self.wanted(detections_of(original))) else 0

    def wanted(self, detections: Detections) -> Detections:
        """The objects that must be found again."""
        return self._from(detections, self.rule.min_score - self.margin)

    def acceptable(self, detections: Detections) -> Detections:
        """The objects that may be one of the other picture's, found again."""
        return self._from(detections, self.rule.min_score - self.rule.slack)

    def judge(self, original: Evidence, variant: Evidence) -> Verdict:
        compared = self.compare(detections_of(original), detections_of(variant))
        whys = [
            f"{what} {_counted(ones)}" for what, ones in (("lost", compared.lost), ("new", compared.new)) if len(ones)
        ]
        return Verdict(1, ", ".join(whys)) if whys else QUALIFIES

    def excerpt(self, evidence: Evidence, class_names: Sequence[str]) -> dict[str, list[Any]]:  # noqa: ARG002 - detections carry their names
        found = detections_of(evidence)
        sure, seen = self.wanted(found), self.acceptable(found)
        fainter = seen.those(seen.scores < self.rule.min_score - self.margin)
        return {"objects": _written(sure), "fainter": _written(fainter)}

    def compare(self, original: Detections, variant: Detections) -> Comparison:
        """What was lost, and what is new; nothing counts as new where `lost_only`."""
        lost = self._without_partner(original, variant)
        new = self._without_partner(variant, original)
        return Comparison(lost, new.those(np.full(len(new), not self.rule.lost_only)))

    def _without_partner(self, ones: Detections, others: Detections) -> Detections:
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to import, and every command reads this

        ones = self.wanted(ones)
        others = self._from(others, self.rule.min_score - self.rule.slack + self.margin)
        same_class = _column(ones.labels) == _column(others.labels).T
        fits = same_class & (intersections_over_unions(ones.boxes, others.boxes) >= self.rule.iou + self.margin)
        rows, columns = linear_sum_assignment(fits, maximize=True)
        alone = np.ones(len(ones), dtype=bool)
        alone[rows[fits[rows, columns]]] = False
        return ones.those(alone)

    def _from(self, detections: Detections, score: float) -> Detections:
        classes = self.rule.classes
        matter = np.array([not classes or label in classes for label in detections.labels], dtype=bool)
        return detections.those(matter & (detections.scores >= score))


def intersections_over_unions(ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """IoU of each pair of boxes, shapes (n, 4) and (m, 4) to (n, m). Without an area only equal boxes have one: 1."""
    a, b = ones.astype(np.float64)[:, None], others.astype(np.float64)[None, :]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = sides.clip(min=0).prod(axis=-1)
    either = _areas(a) + _areas(b) - both
    equal = (a == b).all(axis=-1).astype(np.float64)
    shares: NDArray[np.float64] = np.divide(both, either, out=equal, where=either > 0)
    return shares


def _column(labels: tuple[str, ...]) -> NDArray[np.object_]:
    return np.array(labels, dtype=object).reshape(-1, 1)


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = (boxes[..., 2:] - boxes[..., :2]).clip(min=0).prod(axis=-1)
    return areas


def _written(detections: Detections) -> list[Any]:
    rows = zip(detections.labels, detections.scores.tolist(), detections.boxes.tolist(), strict=True)
    return [[label, *(float(f"{number:.7g}") for number in (score, *box))] for label, score, box in rows]


def _counted(detections: Detections) -> str:
    """Such as "2 person, 1 car"."""
    return ", ".join(f"{count} {label}" for label, count in Counter(detections.labels).most_common())


def object_keeper_in(keeper: Keeper) -> ObjectKeeper | None:
    """The keeper of objects, alone or among others; None where there is none."""
    parts = keeper.keepers if isinstance(keeper, All) else (keeper,)
    return next((part for part in parts if isinstance(part, ObjectKeeper)), None)


def detections_of(evidence: Evidence) -> Detections:
    """The detections that the keeper of objects needs. Raises ValueError where no detector looked."""
    if evidence.detections is None:
        raise ValueError("the keeper of objects needs a detector's detections")
    return evidence.detections
