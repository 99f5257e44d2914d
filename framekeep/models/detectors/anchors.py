"""The anchors of MediaPipe's SSD, from the published options of its object detection graph."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIDE: Final = 300
"""Pixels of the network's input."""
_STRIDES: Final = (16, 32, 64, 128, 256, 512)
_LOWEST, _HIGHEST = 0.2, 0.95
_SCALES: Final = tuple(float(scale) for scale in np.linspace(_LOWEST, _HIGHEST, len(_STRIDES)))
_RATIOS: Final = (1.0, 2.0, 0.5, 3.0, 0.3333)
"""Width to height."""

Shape = tuple[float, float]
"""An anchor's ratio and scale."""


def ssd_anchors() -> NDArray[np.float64]:
    """Centre x, centre y, width and height where the picture is 1 wide and 1 high: shape (1917, 4).

    They stand in the order of the network's outputs: layer by layer, row by row, place by place.
    """
    lowest = [(1.0, 0.1), (2.0, _LOWEST), (0.5, _LOWEST)]  # what "reduce boxes in the lowest layer" leaves
    layers = [lowest, *(_shapes(scale, above) for scale, above in pairwise((*_SCALES[1:], 1.0)))]
    return np.concatenate([_layer(stride, shapes) for stride, shapes in zip(_STRIDES, layers, strict=True)])


def _shapes(scale: float, above: float) -> list[Shape]:
    """A layer's anchors: one for each ratio, and a square between this layer's scale and that of the layer above."""
    return [*((ratio, scale) for ratio in _RATIOS), (1.0, (scale * above) ** 0.5)]


def _layer(stride: int, shapes: list[Shape]) -> NDArray[np.float64]:
    places = -(-_SIDE // stride)
    middle = (np.arange(places) + 0.5) / places
    y, x, _ = np.meshgrid(middle, middle, np.arange(len(shapes)), indexing="ij")
    sizes = np.array([(scale * ratio**0.5, scale / ratio**0.5) for ratio, scale in shapes])
    width, height = np.broadcast_to(sizes.T[:, None, None, :], (2, *x.shape))
    return np.stack([x, y, width, height], axis=-1).reshape(-1, 4)
