"""A classifier's evaluation transform, up to the pixels that are left: what follows is arithmetic (normalising.py)."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from PIL import Image
from timm.data.transforms_factory import create_transform
from torchvision.transforms import CenterCrop, InterpolationMode, Resize
from torchvision.transforms.functional import center_crop, resize

from framekeep.models.scaling import Pixels, scaled

Transform = Callable[[Image.Image], Pixels]
"""From a picture in mode RGB; many threads may call it at once."""

TRIAL_THREADS: Final = "trial"
"""How the names of the threads begin that hold the faster way against Pillow's."""
_TALLEST: Final = 1.9
"""Height to width. From 2 on, Pillow 13 scales the height first where earlier ones scale the width, as we do."""
_TRIALS: Final = (
    *((640, 480), (480, 640), (1280, 720), (375, 500), (301, 257)),
    *((450, 800), (400, 760), (1600, 200), (2592, 300)),
    *((100, 80), (120, 210)),
)
"""Widths and heights of the self-test: cameras' shapes, the longest and the tallest, and pictures that are enlarged."""


def evaluation_transform(configuration: Mapping[str, Any]) -> Transform:
    """That of timm's data configuration, without its last step, which makes numbers of mean 0 out of bytes."""
    steps = create_transform(**configuration, is_training=False, normalize=False).transforms[:-1]
    match steps:
        case [Resize(size=int(side), interpolation=InterpolationMode.BICUBIC, max_size=None), CenterCrop(size=crop)]:
            transform = _ScaledAndCropped(side, tuple(crop))
            _trial(transform)
            return transform
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

    In what order a library scales the two sides, and how it rounds, is its own business and may change. So the faster
    way stands for Pillow's where it makes the same on a self-test at every start; until then Pillow scales.
    """

    side: int
    crop: tuple[int, int]

    def __call__(self, image: Image.Image) -> Pixels:
        trial = _trial(self)
        is_fast = image.height <= _TALLEST * image.width and trial.done() and trial.result()
        return self._fast(image) if is_fast else self._by_pillow(image)

    def is_exact(self) -> bool:
        """The self-test, on noise."""
        chance = np.random.default_rng(1)
        trials = [Image.frombytes("RGB", size, chance.bytes(3 * size[0] * size[1])) for size in _TRIALS]
        with suppress(Exception):  # whatever keeps numba from working, Pillow works
            return all(np.array_equal(self._fast(trial), self._by_pillow(trial)) for trial in trials)
        return False

    def _by_pillow(self, image: Image.Image) -> Pixels:
        sized = resize(image, [self.side], InterpolationMode.BICUBIC)
        return np.asarray(center_crop(sized, list(self.crop)))

    def _fast(self, image: Image.Image) -> Pixels:
        width, height = image.size
        shorter = min(width, height)
        wide, high = int(self.side * width / shorter), int(self.side * height / shorter)
        upper, left = round((high - self.crop[0]) / 2.0), round((wide - self.crop[1]) / 2.0)
        return scaled(image, (wide, high), (left, upper, left + self.crop[1], upper + self.crop[0]))


@cache
def _trial(transform: _ScaledAndCropped) -> Future[bool]:
    """The self-test, for which numba has to compile: the first call begins it in a thread, beside the start's rest."""
    thread = ThreadPoolExecutor(1, TRIAL_THREADS)
    trial = thread.submit(transform.is_exact)
    thread.shutdown(wait=False)
    return trial
