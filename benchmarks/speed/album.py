"""Pictures made from the repository's own two: crops, scalings, light, grain. Each seed makes another."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from PIL import Image, ImageOps

_PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
_SOURCES: Final = ("coffee.jpg", "photographer.jpg")
_CAMERAS: Final = 5


def picture(seed: int, megapixels: float) -> bytes:
    """A JPEG of about so many million pixels, 4 to 3, with a sensor's grain."""
    chance = np.random.default_rng(seed)
    height = round((megapixels * 10**6 * 3 / 4) ** 0.5)
    with Image.open(_PICTURES / _SOURCES[seed % len(_SOURCES)]) as source:
        image = _crop(source.convert("RGB"), chance).resize((height * 4 // 3, height), Image.Resampling.LANCZOS)
    if chance.random() < 0.5:
        image = ImageOps.mirror(image)
    pixels = np.asarray(image, dtype=np.float32) * np.float32(chance.uniform(0.7, 1.1))
    pixels += np.float32(chance.uniform(1, 4)) * chance.standard_normal(pixels.shape, dtype=np.float32)
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=int(chance.integers(85, 96)))
    return file.getvalue()


def _crop(image: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Between half and all of each side."""
    width, height = (int(side * chance.uniform(0.5, 1)) for side in image.size)
    left, top = (int(chance.integers(0, most + 1)) for most in (image.width - width, image.height - height))
    return image.crop((left, top, left + width, top + height))


def fill(folder: Path, count: int, megapixels: float) -> None:
    for seed in range(count):
        path = folder / f"camera{seed % _CAMERAS}" / f"{seed:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(seed, megapixels))


@contextmanager
def made(count: int, megapixels: float) -> Iterator[Path]:
    """A folder of them, which goes afterwards."""
    with TemporaryDirectory(prefix="framekeep-album-") as folder:
        print(f"making {count} pictures of {megapixels:g} Mpx", file=sys.stderr)
        fill(Path(folder), count, megapixels)
        yield Path(folder)
