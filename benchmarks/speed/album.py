"""Pictures made from the repository's own two: crops, scalings, light, grain. Each seed makes another.

`picture` makes them all different, `frame` those of fixed cameras, which always see the same.
"""

import io
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Pixels: TypeAlias = NDArray[np.float32]

_PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
_SOURCES: Final = ("coffee.jpg", "photographer.jpg")
_CAMERAS: Final = 5
_FRAMES_A_DAY: Final = 100


def picture(seed: int, megapixels: float) -> bytes:
    """A JPEG of about so many million pixels, 4 to 3, with a sensor's grain."""
    chance = np.random.default_rng(seed)
    return _taken(_scene(seed, megapixels, chance), chance, chance)


def frame(camera: int, number: int, megapixels: float) -> bytes:
    """A fixed camera's: the scene, its grain's strength and its quality are the camera's; the light falls and rises."""
    of_camera = np.random.default_rng(camera)
    scene = _scene(camera, megapixels, of_camera)
    light = 1 + 0.1 * math.sin(2 * math.pi * number / _FRAMES_A_DAY)
    return _taken(scene * np.float32(light), of_camera, np.random.default_rng((camera, number)))


def _scene(seed: int, megapixels: float, chance: np.random.Generator) -> Pixels:
    height = round((megapixels * 10**6 * 3 / 4) ** 0.5)
    with Image.open(_PICTURES / _SOURCES[seed % len(_SOURCES)]) as source:
        image = _crop(source.convert("RGB"), chance).resize((height * 4 // 3, height), Image.Resampling.LANCZOS)
    if chance.random() < 0.5:
        image = ImageOps.mirror(image)
    return np.asarray(image, dtype=np.float32) * np.float32(chance.uniform(0.7, 1.1))


def _taken(scene: Pixels, camera: np.random.Generator, grain: np.random.Generator) -> bytes:
    """With grain, as a JPEG; how much of it and of which quality is the camera's."""
    strength = np.float32(camera.uniform(1, 4))
    pixels = scene + strength * grain.standard_normal(scene.shape, dtype=np.float32)
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=int(camera.integers(85, 96)))
    return file.getvalue()


def _crop(image: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Between half and all of each side."""
    width, height = (int(side * chance.uniform(0.5, 1)) for side in image.size)
    left, top = (int(chance.integers(0, most + 1)) for most in (image.width - width, image.height - height))
    return image.crop((left, top, left + width, top + height))


def fill(folder: Path, count: int, megapixels: float, *, fixed: bool = False) -> None:
    """A folder a camera. fixed: they stand still."""
    for seed in range(count):
        camera, number = seed % _CAMERAS, seed // _CAMERAS
        path = folder / f"camera{camera}" / f"{seed:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(frame(camera, number, megapixels) if fixed else picture(seed, megapixels))


@contextmanager
def made(count: int, megapixels: float, *, fixed: bool = False) -> Iterator[Path]:
    """A folder of them, which goes afterwards."""
    with TemporaryDirectory(prefix="framekeep-album-") as folder:
        print(f"making {count} pictures of {megapixels:g} Mpx", file=sys.stderr)
        fill(Path(folder), count, megapixels, fixed=fixed)
        yield Path(folder)
