"""A classifier's evaluation transform, up to the pixels that are left: what follows is arithmetic (runtime.py)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from PIL import Image
from timm.data.transforms_factory import create_transform
from torchvision.transforms import CenterCrop, InterpolationMode, Resize
from torchvision.transforms.functional import center_crop, resize

from framekeep.models.scaling import Pixels, compiling, scaled

Transform = Callable[[Image.Image], Pixels]
"""From a picture in mode RGB; many threads may call it at once."""

_MOST_PIXELS: Final = 24_000_000
_SIZES: Final = 1024
"""Sizes of pictures that are remembered."""


def evaluation_transform(configuration: Mapping[str, Any]) -> Transform:
    """That of timm's data configuration, without its last step, which makes numbers of mean 0 out of bytes."""
    steps = create_transform(**configuration, is_training=False, normalize=False).transforms[:-1]
    match steps:
        case [Resize(size=int(side), interpolation=InterpolationMode.BICUBIC, max_size=None), CenterCrop(size=crop)]:
            compiling()
            return _ScaledAndCropped(side, tuple(crop))
    return _Steps(tuple(steps))


@dataclass(frozen=True, slots=True)
class _Steps:
    """As timm does it."""

    steps: tuple[Callable[[Image.Image], Image.Image], ...]

    def __call__(self, image: Image.Image) -> Pixels:
        for step in self.steps:
            image = step(image)
        return np.asarray(image)


@dataclass(frozen=True, slots=True)
class _ScaledAndCropped:
    """The shorter side scaled to `side`, and the middle cut out of that: `crop` is its height and width.

    In what order a library scales the two sides, and how it rounds, is its own business and may change. So for each
    size of pictures the faster way is held against Pillow's once, on noise, and left alone where they differ.
    """

    side: int
    crop: tuple[int, int]

    def __call__(self, image: Image.Image) -> Pixels:
        is_fast = compiling().done() and _is_exact(self, image.size)
        return self._fast(image) if is_fast else self.by_pillow(image)

    def by_pillow(self, image: Image.Image) -> Pixels:
        sized = resize(image, [self.side], InterpolationMode.BICUBIC)
        return np.asarray(center_crop(sized, list(self.crop)))

    def is_exact(self, size: tuple[int, int]) -> bool:
        """For pictures of this width and height; larger ones than can be held against each other are left to Pillow."""
        if size[0] * size[1] > _MOST_PIXELS:
            return False
        noise = Image.frombytes("RGB", size, np.random.default_rng(1).bytes(3 * size[0] * size[1]))
        with suppress(Exception):  # whatever keeps numba from working, Pillow works
            return np.array_equal(self._fast(noise), self.by_pillow(noise))
        return False

    def _fast(self, image: Image.Image) -> Pixels:
        width, height = image.size
        shorter = min(width, height)
        wide, high = int(self.side * width / shorter), int(self.side * height / shorter)
        upper, left = round((high - self.crop[0]) / 2.0), round((wide - self.crop[1]) / 2.0)
        return scaled(image, (wide, high), (left, upper, left + self.crop[1], upper + self.crop[0]))


@lru_cache(_SIZES)
def _is_exact(transform: _ScaledAndCropped, size: tuple[int, int]) -> bool:
    return transform.is_exact(size)
