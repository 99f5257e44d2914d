"""What a file says nothing about: how its network wants a picture, and how it gives its boxes. Pure data."""

from dataclasses import dataclass
from typing import Literal

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class InputConventions:
    """How a network wants a picture."""

    layout: Literal["nhwc", "nchw"] = "nhwc"
    channels: Literal["rgb", "bgr"] = "rgb"
    values: Literal["0..255", "0..1", "-1..1"] = "0..255"
    """The range to which a pixel's 0 to 255 is brought."""
    mean: Triple = (0.0, 0.0, 0.0)
    """Of each channel, within `values`: it is subtracted before the division by `std`."""
    std: Triple = (1.0, 1.0, 1.0)
    resize: tuple[int, int] | None = None
    """Width and height to which every picture is stretched; None where the network takes pictures of any size."""


@dataclass(frozen=True, slots=True)
class OutputConventions:
    """How a network gives its boxes. An output is named, or counted from 0 in the file's order."""

    boxes: str | int
    scores: str | int
    classes: str | int
    box_order: Literal["ltrb", "tlbr", "cxcywh"] = "ltrb"
    """Left, top, right, bottom; top, left, bottom, right; or centre, width, height."""
    box_scale: Literal["unit", "input", "picture"] = "unit"
    """The picture is 1 wide and 1 high; or pixels of the network's input; or pixels of the picture."""
    class_offset: int = 0
    """The number that the file gives to the first class name: 1 where its class 0 is the background."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """All that has to be declared about a file of one's own."""

    output: OutputConventions
    input: InputConventions = InputConventions()
