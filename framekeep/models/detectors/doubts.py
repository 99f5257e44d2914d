"""What speaks against the conventions that were declared for a file of boxes, after one look at a picture.

Not everything can be seen: whether colours stand in the other order, or, where a box's scale is "unit", left and top.
A transposed picture would not tell: boxes whose left and top are exchanged transpose as well as others do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from framekeep.models.detectors.conventions import OutputConventions

_OVERHANG: Final = 0.1
"""Of the picture: so far a box may reach beyond it. Not every network clips its boxes."""
_UNIT: Final = 2.0
"""Numbers up to here are no pixels."""

_ROUNDING: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Rows:
    """One picture's objects as the network gives them: boxes (n, 4), scores (n,) and classes (n,)."""

    boxes: NDArray[np.float64]
    scores: NDArray[Any]
    classes: NDArray[Any]

    def those(self, wanted: NDArray[np.bool_]) -> "Rows":
        return Rows(self.boxes[wanted], self.scores[wanted], self.classes[wanted])


def doubt_of_shapes(boxes: tuple[int, ...], scores: int, classes: int) -> str | None:
    """Of the outputs that are declared to be boxes, scores and classes."""
    if not boxes or boxes[-1] != 4:  # noqa: PLR2004 - a box has four numbers
        return f"the output declared as boxes has the shape {boxes}, and boxes have four numbers each"
    count = int(np.prod(boxes[:-1]))
    for name, found in (("scores", scores), ("classes", classes)):
        if found != count:
            return f"the output declared as {name} has {found} numbers for {count} boxes"
    return None


def doubts(output: OutputConventions, rows: Rows, shares: NDArray[np.float64], names: int) -> Iterator[str]:
    """`rows`: what has a score other than 0: files fill up with zeros.

    `shares`: the same boxes as left, top, right and bottom in shares of the picture's width and height.
    """
    if rows.scores.size:
        yield from _of_scores(rows.scores)
        yield from _of_classes(rows.classes, output.class_offset, names)
        yield from _of_scale(rows.boxes, output.box_scale)
        yield from _of_order(shares, output.box_order)


def _of_scores(scores: NDArray[Any]) -> Iterator[str]:
    low, high = float(scores.min()), float(scores.max())
    if low < 0 or high > 1 + _ROUNDING:
        yield f"its scores are {low:.3g} to {high:.3g}, and scores lie between 0 and 1: is another output the scores?"


def _of_classes(classes: NDArray[Any], offset: int, names: int) -> Iterator[str]:
    broken = classes[classes != np.floor(classes)]
    if broken.size:
        yield f"it gives the class {broken[0]:.3g}, which is no whole number: is another output the classes?"
    low, high = int(classes.min()), int(classes.max())
    if low < offset or high >= offset + names:
        yield (
            f"it gives classes from {low} to {high}, but class_offset {offset} and {names} class names make them "
            f"{offset} to {offset + names - 1}"
        )


def _of_scale(boxes: NDArray[np.float64], scale: str) -> Iterator[str]:
    largest = float(np.abs(boxes).max())
    if scale == "unit" and largest > _UNIT:
        yield f'its boxes reach {largest:.4g}, so they are in pixels: set box_scale to "input" or "picture"'
    if scale != "unit" and largest <= _UNIT:
        yield f'its boxes reach {largest:.3g}, so they are no pixels: set box_scale to "unit"'


def _of_order(shares: NDArray[np.float64], order: str) -> Iterator[str]:
    turned = (shares[:, 2:] < shares[:, :2]).any(axis=1)
    if turned.mean() > 1 / 2:
        yield f'box_order "{order}" turns its boxes inside out: is it "cxcywh"?'
    beyond = (shares < -_OVERHANG).any(axis=1) | (shares > 1 + _OVERHANG).any(axis=1)
    if beyond.mean() > 1 / 2:
        yield f'its boxes lie outside the picture: box_order "{order}" or box_scale is another one'
