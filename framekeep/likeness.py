"""How alike two pictures look to a person: the structural similarity (SSIM) of their luma, 1 for equal ones.

It is that of the whole picture at its full size, as scikit-image's `structural_similarity` has it with data_range 255,
but worked out in bands of rows, so that a large picture takes little memory.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.uint8]
"""Luma, shape (height, width)."""
_Floats = NDArray[np.float32]

_BAND: Final = 256
_MIDDLE: Final = 128.0
"""Taken from each value, so that squares stay small: float32 keeps a variance to 1e-3 then."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class Window:
    """What is compared around each pixel: a weighted mean over `radius` pixels to each side."""

    smooth: Callable[[_Floats], _Floats]
    radius: int
    unbiased: float
    """What a variance in the window is multiplied by."""


def _in_squares(values: _Floats) -> _Floats:
    from scipy.ndimage import uniform_filter  # noqa: PLC0415 - slow to load, and most sweeps compare nothing

    mean: _Floats = uniform_filter(values, size=7)
    return mean


def _by_gauss(values: _Floats) -> _Floats:
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - as above

    mean: _Floats = gaussian_filter(values, sigma=1.5, truncate=3.5)
    return mean


UNIFORM: Final = Window(_in_squares, 3, 49 / 48)
"""scikit-image's default."""
GAUSSIAN: Final = Window(_by_gauss, 5, 1.0)
"""The one of the paper that introduced SSIM (Wang et al. 2004)."""


def luma(image: Image.Image) -> Plane:
    return np.asarray(image.convert("L"))


def likeness(one: Plane, other: Plane, window: Window) -> float:
    """The mean over all pixels whose window lies in the picture; NaN where none does. The planes have one shape."""
    height, width = one.shape
    inner: int = (height - 2 * window.radius) * (width - 2 * window.radius)
    if min(one.shape) <= 2 * window.radius:
        return math.nan
    return math.fsum(_sum(one[rows], other[rows], window) for rows in _bands(height, window.radius)) / inner


def _bands(height: int, radius: int) -> Iterator[slice]:
    """Rows that overlap by what the windows at a band's edges need."""
    for top in range(0, height - 2 * radius, _BAND):
        yield slice(top, min(top + _BAND + 2 * radius, height))


def _sum(one: Plane, other: Plane, window: Window) -> float:
    x, y = (plane.astype(np.float32) - np.float32(_MIDDLE) for plane in (one, other))
    mean_x, mean_y, squares, products = (window.smooth(part) for part in (x, y, x * x + y * y, x * y))
    variances = window.unbiased * (squares - mean_x * mean_x - mean_y * mean_y)
    covariance = window.unbiased * (products - mean_x * mean_y)
    mean_x, mean_y = mean_x + np.float32(_MIDDLE), mean_y + np.float32(_MIDDLE)
    above = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    below = (mean_x * mean_x + mean_y * mean_y + _C1) * (variances + _C2)
    inside = slice(window.radius, -window.radius)
    return float((above / below)[inside, inside].sum(dtype=np.float64))
