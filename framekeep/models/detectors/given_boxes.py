"""A network that gives boxes, scores and classes, as its owner declares them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framekeep.evidence import Detections
from framekeep.models.detectors.conventions import Conventions
from framekeep.models.detectors.doubts import Rows, doubt_of_shapes, doubts
from framekeep.models.detectors.reading import Outputs, Size, detections


@dataclass(frozen=True, slots=True)
class GivenBoxes:
    """A Reader of boxes, scores and classes, one row an object."""

    conventions: Conventions
    places: tuple[int, int, int]
    """Where boxes, scores and classes stand among the outputs."""
    names: Sequence[str]

    @property
    def words(self) -> str:
        return ", ".join(f"{key} {value}" for key, value in sorted(asdict(self.conventions.output).items()))

    def fault(self, outputs: Outputs, size: Size) -> str | None:
        boxes, scores, classes = (outputs[place] for place in self.places)
        fault = doubt_of_shapes(boxes.shape, scores.size, classes.size)
        if fault is not None:
            return fault
        rows = self._rows(outputs)
        found = rows.those(rows.scores != 0)
        shares = self._pixels(found.boxes, size) / np.tile(size, 2)
        return next(doubts(self.conventions.output, found, shares, len(self.names)), None)

    def read(self, outputs: Outputs, size: Size) -> Detections:
        rows = self._rows(outputs)
        numbers = rows.classes.astype(np.int64) - self.conventions.output.class_offset
        return detections(self.names, numbers, rows.scores, self._pixels(rows.boxes, size))

    def _rows(self, outputs: Outputs) -> Rows:
        boxes, scores, classes = (outputs[place] for place in self.places)
        return Rows(boxes.reshape(-1, 4).astype(np.float64), scores.reshape(-1), classes.reshape(-1))

    def _pixels(self, boxes: NDArray[np.float64], size: Size) -> NDArray[np.float64]:
        """Left, top, right and bottom in the picture's pixels."""
        scales = {"unit": (1, 1), "input": self.conventions.input.resize or size, "picture": size}
        factor = np.array(size) / scales[self.conventions.output.box_scale]
        return _ltrb(boxes, self.conventions.output.box_order) * np.tile(factor, 2)


def _ltrb(boxes: NDArray[np.float64], order: str) -> NDArray[Any]:
    if order == "tlbr":
        return boxes[:, [1, 0, 3, 2]]
    if order == "cxcywh":
        centre, half = boxes[:, :2], boxes[:, 2:] / 2
        return np.concatenate([centre - half, centre + half], axis=1)
    return boxes
