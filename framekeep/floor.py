"""The floor: no variant looks worse to a person than plain Pillow makes this very picture at a quality factor."""

import math
from typing import Final, Self

from PIL.Image import Image

from framekeep.jpeg.codec import decode, encode
from framekeep.ladder import Rung
from framekeep.likeness import GAUSSIAN, UNIFORM, Plane, likeness, luma

_WINDOWS: Final = (UNIFORM, GAUSSIAN)
"""Both have to agree that a variant is no worse; the second takes as long as the first and is seldom reached."""


class Floor:
    """Of one picture. `bound` is the floor's likeness to the original, or None where there is no floor."""

    def __init__(self, original: Plane, variant: Plane | None) -> None:
        self._original = original
        self._bounds = [] if variant is None else [likeness(original, variant, window) for window in _WINDOWS]
        self.bound = self._bounds[0] if self._bounds else None

    @classmethod
    def of(cls, image: Image, quality: int, subsampling: str) -> Self:
        """`image` is the decoded original; quality 0: none."""
        variant = luma(decode(encode(image, Rung(quality), subsampling))) if quality else None
        return cls(luma(image), variant)

    def margin(self, data: bytes) -> float:
        """By how much a variant's likeness exceeds the floor's; below 0 it looks worse.

        NaN where a picture is too small to compare, infinite where there is no floor.
        """
        if not self._bounds:
            return math.inf
        seen, least = luma(decode(data)), math.inf
        for window, bound in zip(_WINDOWS, self._bounds, strict=True):
            least = min(likeness(self._original, seen, window) - bound, least)
            if not least >= 0:
                break
        return least

    def holds(self, data: bytes) -> bool:
        """Whether a variant looks no worse. Never, where a picture is too small to compare."""
        return self.margin(data) >= 0

    def likeness(self, data: bytes) -> float:
        """A variant's, in the window that `bound` was measured in."""
        return likeness(self._original, luma(decode(data)), UNIFORM)
