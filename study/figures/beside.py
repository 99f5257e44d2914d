"""Figures 5 and 10: a picture beside itself at the lowest QF."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure
from PIL import Image

from framekeep.errors import UsageError
from framekeep.jpeg.codec import decode, encode
from framekeep.ladder import Rung
from framekeep.reasons import Kept
from study.figures.drawing import plain
from study.passing.counting import ENCODER, read

_LARGEST: Final = 1000
"""Pixels a side: more do not fit a page."""


@dataclass(frozen=True)
class Pair:
    """The original and its variant, and the bytes of their files."""

    original: Image.Image
    variant: Image.Image
    rung: Rung
    sizes: tuple[int, int]


def pair_of(path: Path, rung: Rung) -> Pair:
    """Raises UsageError where the picture cannot be read any more."""
    try:
        data, _ = read(path)
        original = decode(data)
    except Kept as kept:
        raise UsageError(f"{path} cannot be read: {kept.note or kept.reason.sentence}") from kept
    encodable = original if original.mode in ("L", "RGB") else original.convert("RGB")
    encoded = encode(encodable, rung, ENCODER.subsampling)
    return Pair(original, decode(encoded), rung, (len(data), len(encoded)))


def draw(pair: Pair, told: Sequence[str]) -> Figure:
    """`told` are two lines, of the original and of the variant."""
    wide = pair.original.width / pair.original.height
    figure = Figure(figsize=(11, 5.5 / wide + 0.7), layout="constrained")
    names = "original", f"QF {pair.rung.quality}"
    pictures = zip(figure.subplots(1, 2), (pair.original, pair.variant), names, pair.sizes, told, strict=True)
    for axes, picture, name, size, line in pictures:
        axes.imshow(_fitting(picture), interpolation="none")
        axes.set_title(plain(f"{name}, {size:,} bytes: {line}"), fontsize="medium")
        axes.set_axis_off()
    return figure


def _fitting(picture: Image.Image) -> Image.Image:
    made = picture.convert("RGB")
    made.thumbnail((_LARGEST, _LARGEST))
    return made
