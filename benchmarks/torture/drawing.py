"""Small JPEGs that shrink as a camera's do: each seed draws another picture."""

import io
from typing import Final

import numpy as np
from PIL import Image

SMALL: Final = (64, 48)


def drawn(seed: int, size: tuple[int, int] = SMALL, quality: int = 92, **saving: object) -> bytes:
    """A JPEG of some rectangles over a gradient, with grain."""
    chance = np.random.default_rng(seed)
    width, height = size
    pixels = np.linspace(40, 200, height)[:, None, None] * chance.uniform(0.6, 1, (1, width, 3))
    for _ in range(4):
        x, y = chance.integers(0, width), chance.integers(0, height)
        pixels[y : y + height // 3, x : x + width // 3] = chance.integers(0, 256, 3)
    pixels += chance.normal(0, 4, pixels.shape)
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", **{"quality": quality} | saving)
    return file.getvalue()


def unique(picture: bytes, comment: bytes) -> bytes:
    """The picture with a comment segment: as quick as copying, and no two are the same."""
    return picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:]
