"""How boxes overlap, and which of several on one object stays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.floating[Any]]
"""Left, top, right and bottom: shape (n, 4)."""


def iou_table(these: Boxes, those: Boxes) -> NDArray[np.floating[Any]]:
    """Intersection over union of each of these with each of those, all of which have an area: shape (n, m)."""
    corner = np.maximum(these[:, None, :2], those[None, :, :2])
    opposite = np.minimum(these[:, None, 2:], those[None, :, 2:])
    shared = (opposite - corner).clip(min=0).prod(axis=2)
    table: NDArray[np.floating[Any]] = shared / (_areas(these)[:, None] + _areas(those)[None, :] - shared)
    return table


def survivors(
    classes: NDArray[np.intp], scores: NDArray[np.floating[Any]], boxes: Boxes, most: float
) -> NDArray[np.intp]:
    """Non-maximum suppression, class by class: the indices of what stays, likeliest first.

    A box gives way to a likelier one of its class with which its IoU is `most` or more.
    """
    order = np.argsort(-scores, kind="stable")
    rivals = (iou_table(boxes, boxes) >= most) & (classes[:, None] == classes[None, :])
    kept: list[int] = []
    for index in order:
        if not rivals[index, kept].any():
            kept.append(int(index))
    return np.array(kept, np.intp)


def _areas(boxes: Boxes) -> NDArray[np.floating[Any]]:
    areas: NDArray[np.floating[Any]] = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return areas
