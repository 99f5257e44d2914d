"""Evidence: what a model of record sees in a variant. Only models make it and only keepers read it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prediction:
    """A classifier's probabilities, shape (classes,), float32, summing to one (section 2.1's P)."""

    probabilities: NDArray[np.float32]

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Class indices by falling probability, equal ones by index: shape (classes,)."""
        return np.argsort(-self.probabilities, kind="stable")

    def top(self, count: int) -> list[tuple[int, float]]:
        """The `count` likeliest classes with their probabilities, likeliest first."""
        return [(int(k), float(self.probabilities[k])) for k in self.order[:count]]

    def rank(self, label: int) -> int:
        """The 1-based rank of a class (section 2.1's r)."""
        return int(np.flatnonzero(self.order == label)[0]) + 1


@dataclass(frozen=True)
class Detections:
    """What a detector found: n objects, likeliest first.

    `labels` are class names; `scores` has shape (n,), float32; `boxes` has left, top, right and bottom in pixels of the
    whole picture as it is encoded (an EXIF orientation is not applied), shape (n, 4), float32.
    """

    labels: tuple[str, ...]
    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def those(self, wanted: NDArray[np.bool_]) -> "Detections":
        """Only the objects where `wanted`, shape (n,), is true."""
        labels = tuple(label for label, is_wanted in zip(self.labels, wanted, strict=True) if is_wanted)
        return Detections(labels, self.scores[wanted], self.boxes[wanted])


@dataclass(frozen=True)
class Evidence:
    """All that the models of record saw in one variant; a kind that no keeper asked for is absent."""

    prediction: Prediction | None = None
    detections: Detections | None = None
