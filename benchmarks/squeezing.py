"""How little squeezing leaves of a camera's file: by this `worth_squeezing` tells which originals cannot win.

usage: python -m benchmarks.squeezing DIR... [EVERY]    EVERY: only each so-many-th picture

Each picture is squeezed as it is, and as a camera with fixed Huffman tables writes it by day and by night, at several
qualities. Prints, as Markdown, the least that was left of a file, and of what it has beyond its empty blocks.
"""

import io
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

from PIL import Image

from benchmarks.encoders import LIMITS, pictures
from benchmarks.ratios import print_row
from framekeep.jpeg.metadata import carry
from framekeep.jpeg.source import understand
from framekeep.jpeg.squeeze import squeeze
from framekeep.reasons import Kept
from framekeep.variants import beyond_empty_blocks

LIGHTS: Final = (1.0, 0.3, 0.08, 0.02)
QUALITIES: Final = (5, 10, 20, 30, 50, 70, 90, 97)
SUBSAMPLINGS: Final = ("4:2:0", "4:4:4")


def main(folders: list[Path], every: int) -> None:
    paths = [path for folder in folders for path in pictures(folder)][::every]
    print_row(("files", "how many", "least of a file", "least beyond empty blocks"))
    print_row(("---",) * 4)
    tell("as they are", [left(path.read_bytes()) for path in paths])
    for light in LIGHTS:
        tell(f"light {light:g}", [left(data) for path in paths for data in written(path, light)])


def tell(name: str, files: list[list[tuple[float, float]]]) -> None:
    found = [shares for file in files for shares in file]
    if found:
        print_row((name, str(len(found)), *(f"{min(share):.3f}" for share in zip(*found, strict=True))))


def written(path: Path, light: float) -> Iterator[bytes]:
    with Image.open(path) as opened:
        picture = opened.convert("RGB").point(lambda value: int(value * light))
    for quality, subsampling in product(QUALITIES, SUBSAMPLINGS):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
        yield file.getvalue()


def left(data: bytes) -> list[tuple[float, float]]:
    """What squeezing leaves of a file, and of its bytes beyond empty blocks; nothing for what is not touched."""
    try:
        original = understand(data, LIMITS)
    except Kept:
        return []
    size = len(carry(squeeze(data), original, same_coding=True))
    return [(size / len(data), size / max(beyond_empty_blocks(original), 1))]


if __name__ == "__main__":
    given = sys.argv[1:]
    step = int(given.pop()) if given and given[-1].isdigit() else 1
    main([Path(folder) for folder in given], step)
