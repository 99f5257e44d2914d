"""A picture as a network wants it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from framekeep.models.detectors.conventions import InputConventions
from framekeep.models.shape import in_colours

_RANGES: Final = {"0..255": (1.0, 0.0), "0..1": (255.0, 0.0), "-1..1": (127.5, 1.0)}
"""By what a pixel's value is divided, and what is subtracted then."""


@dataclass(frozen=True, slots=True)
class Fed:
    """One picture, ready."""

    pixels: NDArray[Any]
    """Shape (1, height, width, 3) or (1, 3, height, width), as the network counts."""
    size: tuple[int, int]
    """Width and height of the picture itself."""


def feed(image: Image.Image, wanted: InputConventions, kind: DTypeLike) -> Fed:
    """`kind`: the type of the network's input."""
    rgb = in_colours(image)
    sized = rgb.resize(wanted.resize, Image.Resampling.BILINEAR) if wanted.resize else rgb
    pixels = _ranged(np.asarray(sized), wanted).astype(kind, copy=False)
    if wanted.channels == "bgr":
        pixels = pixels[..., ::-1]
    if wanted.layout == "nchw":
        pixels = pixels.transpose(2, 0, 1)
    return Fed(np.ascontiguousarray(pixels[None]), image.size)


def _ranged(pixels: NDArray[Any], wanted: InputConventions) -> NDArray[Any]:
    if _is_plain(wanted):
        return pixels
    divisor, offset = _RANGES[wanted.values]
    values = pixels.astype(np.float32) / np.float32(divisor) - np.float32(offset)
    mean, std = (np.array(each, np.float32) for each in (wanted.mean, wanted.std))
    return (values - mean) / std


def input_fault(wanted: InputConventions, shape: Sequence[int], kind: DTypeLike) -> str | None:
    """Why a network whose input has this shape (-1: any length) cannot be fed so; None where it can."""
    if len(shape) not in (0, 4):
        return f"its input has the shape {_told(shape)}, and pictures come in a batch, which has four dimensions"
    places = {"nhwc": (3, 1, 2), "nchw": (1, 2, 3)}
    channels, height, width = ((shape or [-1] * 4)[place] for place in places[wanted.layout])
    if channels not in (-1, 3):
        return f'layout is "{wanted.layout}", but its input has the shape {_told(shape)}, with {channels} channels then'
    return _size_fault(wanted.resize, (width, height)) or _range_fault(wanted, np.dtype(kind))


def _size_fault(resize: tuple[int, int] | None, taken: tuple[int, int]) -> str | None:
    given = resize or (-1, -1)
    if all(side in (-1, given_side) for side, given_side in zip(taken, given, strict=True)):
        return None
    sides = ", ".join("any" if side == -1 else str(side) for side in taken)
    return f"its input is [{sides}] pixels wide and high: resize is {list(resize) if resize else 'not set'}"


def _range_fault(wanted: InputConventions, kind: "np.dtype[Any]") -> str | None:
    if np.issubdtype(kind, np.integer) and not _is_plain(wanted):
        return f'its input takes whole numbers ({kind}): values has to be "0..255", without mean and std'
    return None


def _told(shape: Sequence[int]) -> str:
    return f"({', '.join('any' if side == -1 else str(side) for side in shape)})"


def _is_plain(wanted: InputConventions) -> bool:
    return wanted.values == "0..255" and not any(wanted.mean) and set(wanted.std) == {1.0}
