"""Pictures as models take them, and those of a shape that no model takes."""

from typing import Final

from PIL import Image

from framekeep.reasons import Kept, Reason

_LONGEST: Final = 100
"""The longer side to the shorter. A transform that brings the shorter one to the network's size would fill 13 GB with a
JPEG of 1 by 65500 pixels."""


def refuse_lines(image: Image.Image) -> None:
    """Raises Kept for a picture that is too long for a model's transform."""
    if max(image.size) > _LONGEST * min(image.size):
        raise Kept(Reason.UNUSUAL, f"{image.width} by {image.height} pixels: too long for the model's transform")


def in_colours(image: Image.Image) -> Image.Image:
    """The picture in mode RGB, itself if it is: a copy of a large one takes as long as half its decoding."""
    return image if image.mode == "RGB" else image.convert("RGB")
