"""Scaling a picture and cutting a part out of it, to the last bit as Pillow does both, in a fraction of the time.

Pillow scales the whole picture, of which a model's transform then cuts off what is too long, and it adds up pixel by
pixel. Here only what stays is worked out, many pixels at once, by one loop that numba compiles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
"""Shape (height, width, 3), red, green and blue."""
Box = tuple[int, int, int, int]
"""Left, upper, right and lower edge, in pixels."""
_Floats = NDArray[np.float64]

_BITS: Final = 22
"""Pillow counts a weight in units of 2 to the power of -22, so that 32 bits hold the sum of all pixels of a place."""
_LANES: Final = 1024
"""Numbers that are added up together: they, and as much of each row, stay in the nearest cache."""
_BAND: Final = 128
"""Rows that are turned at once, likewise."""


@dataclass(frozen=True, slots=True)
class _Taps:
    """How the places of a scaled side are made of the pixels of the whole one."""

    spans: NDArray[np.int32]
    """Shape (places, 2): the first pixel of each place, and how many there are."""
    weights: NDArray[np.int32]
    """Shape (places, most pixels of a place), in units of 2 to the power of -22; those behind a place's last are 0."""
    first: int
    """Of all pixels that are needed."""
    behind: int
    """The first pixel that is no longer needed."""


def scaled(image: Image.Image, size: tuple[int, int], box: Box) -> Pixels:
    """The pixels of `image.resize(size, BICUBIC).crop(box)`; the picture is in mode RGB, the box inside the size.

    The first call compiles, for a second. Raises ImportError without numba, and what that raises where it cannot.
    """
    left, upper, right, lower = box
    across, down = _taps(image.width, size[0], left, right), _taps(image.height, size[1], upper, lower)
    top, rows = down.first, down.behind - down.first
    narrow = np.empty((rows, right - left), np.uint32)  # four bytes a pixel, the last of which says nothing
    for begin in range(0, rows, _BAND):
        end = min(begin + _BAND, rows)
        narrow[begin:end] = _narrowed(image, top + begin, top + end, across).T
    made = _weighted(narrow.view(np.uint8), down, top)
    return np.ascontiguousarray(made.reshape(lower - upper, right - left, 4)[..., :3])


def _narrowed(image: Image.Image, begin: int, end: int, across: _Taps) -> NDArray[np.uint32]:
    """Rows of a picture with their width scaled, turned to (width, rows), so that what is added up lies together."""
    band = image.crop((across.first, begin, across.behind, end)).transpose(Image.Transpose.TRANSPOSE)
    columns = np.frombuffer(band.tobytes("raw", "RGBX"), np.uint8).reshape(band.height, -1)
    return _weighted(columns, across, across.first).view(np.uint32)


def _weighted(rows: NDArray[np.uint8], taps: _Taps, offset: int) -> NDArray[np.uint8]:
    """Each place as the sum of its rows, of which the first is that of pixel `offset`."""
    made = np.empty((len(taps.spans), rows.shape[1]), np.uint8)
    _compiled()(rows, taps.spans, taps.weights, offset, made)
    return made


@cache
def _compiled() -> Callable[..., None]:
    import numba  # noqa: PLC0415 - slow to load

    def read_only(kind: Any, dimensions: int) -> Any:  # noqa: ANN401 - numba tells no types
        return numba.types.Array(kind, dimensions, "C", readonly=True)

    numbers = read_only(numba.int32, 2)
    signature = numba.void(read_only(numba.uint8, 2), numbers, numbers, numba.int64, numba.uint8[:, ::1])
    compiled: Callable[..., None] = numba.njit(signature, nogil=True)(_add_up)
    return compiled


def _add_up(
    rows: NDArray[np.uint8], spans: NDArray[np.int32], weights: NDArray[np.int32], offset: int, made: NDArray[np.uint8]
) -> None:
    """Pillow's arithmetic: half a unit and all products in 32 bits, and of the sum what a byte can hold."""
    length = rows.shape[1]
    room = np.empty(_LANES, np.int32)
    for begin in range(0, length, _LANES):
        end = min(begin + _LANES, length)
        sums = room[: end - begin]
        for place in range(len(spans)):
            sums[:] = 1 << (_BITS - 1)
            for tap in range(spans[place, 1]):
                row, weight = rows[spans[place, 0] - offset + tap, begin:end], weights[place, tap]
                for lane in range(len(sums)):
                    sums[lane] = np.int32(sums[lane] + np.int32(np.int32(row[lane]) * weight))
            here = made[place, begin:end]
            for lane in range(len(sums)):
                here[lane] = np.uint8(min(max(sums[lane] >> _BITS, 0), 255))


@lru_cache(maxsize=256)
def _taps(pixels: int, places: int, begin: int, end: int) -> _Taps:
    """Of the places from `begin` to before `end`, as Pillow's precompute_coeffs and normalize_coeffs_8bpc have them."""
    scale = pixels / places
    stretch = max(scale, 1.0)
    reach = 2.0 * stretch
    centres = (np.arange(begin, end) + 0.5) * scale
    first = np.maximum((centres - reach + 0.5).astype(np.int32), 0)
    count = np.minimum((centres + reach + 0.5).astype(np.int32), pixels) - first
    tap = np.arange(count.max())
    weights = _bicubic((tap + first[:, None] - centres[:, None] + 0.5) * (1.0 / stretch))
    weights[tap >= count[:, None]] = 0.0
    weights /= weights.cumsum(axis=1)[:, -1:]  # one after the other, as Pillow adds
    units = (weights * (1 << _BITS) + np.copysign(0.5, weights)).astype(np.int32)
    spans = np.ascontiguousarray(np.stack([first, count], axis=1))
    return _Taps(spans, units, int(first.min()), int((first + count).max()))


def _bicubic(distance: _Floats) -> _Floats:
    a, x = -0.5, np.abs(distance)
    near: _Floats = ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    far: _Floats = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))  # noqa: PLR2004 - where its pieces end
