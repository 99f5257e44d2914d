"""From a network's outputs to detections."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from framekeep.evidence import Detections
from framekeep.models.detectors.catalogue import SCORE_FLOOR

Outputs = Sequence[NDArray[Any]]
"""One picture's, in the file's order."""

Size = tuple[int, int]
"""Width and height of the picture in which something is found, in pixels."""


class Reader(Protocol):
    """Knows what the outputs of one network mean."""

    @property
    def words(self) -> str:
        """What it takes the outputs for, in words that are equal for equal readings."""

    def fault(self, outputs: Outputs, size: Size) -> str | None:
        """Why the outputs cannot be what they are taken for; None where nothing speaks against it."""

    def read(self, outputs: Outputs, size: Size) -> Detections: ...


def detections(
    names: Sequence[str], classes: NDArray[np.integer[Any]], scores: NDArray[Any], boxes: NDArray[Any]
) -> Detections:
    """Those that reach the floor, likeliest first. A box without an area is no object.

    `classes` counts from the first of `names`; `boxes` are left, top, right and bottom in pixels of the picture.
    """
    has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    likely = np.flatnonzero((scores >= SCORE_FLOOR) & has_area)
    order = likely[np.argsort(-scores[likely], kind="stable")]
    labels = tuple(_label(names, int(number)) for number in classes[order])
    return Detections(labels, scores[order].astype(np.float32), boxes[order].astype(np.float32))


def _label(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else f"class {number}"
