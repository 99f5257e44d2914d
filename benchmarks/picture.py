"""Makes the README's picture: an original beside the variant that framekeep keeps, with what both cost and show.

usage: python benchmarks/picture.py docs/pictures/coffee.jpg docs/pictures/before-after.jpg
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from framekeep.explaining import Rule, explain
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Limits, Original, understand
from framekeep.jpeg.squeeze import squeeze_apart
from framekeep.keepers.naming import keeper_of
from framekeep.ladder import parse_ladder
from framekeep.models.base import Model
from framekeep.models.catalogue import ModelChoice
from framekeep.models.classifier import open_classifier
from framekeep.models.describing import top_five
from framekeep.reasons import Kept
from framekeep.variants import Encoder, Written

MODEL: Final = "tf_efficientnet_lite0"
GAP, MARGIN, LINE = 16, 12, 30
INK, PAPER = (32, 32, 32), (255, 255, 255)


@dataclass(frozen=True)
class Panel:
    """One of the two pictures with the lines below it."""

    image: Image.Image
    lines: tuple[str, str]


def main(source: Path, target: Path) -> None:
    model = open_classifier(ModelChoice(MODEL), "cpu", batch=1)
    original = understand(source.read_bytes(), Limits(max_bytes=2**24, max_pixels=10**7))
    written = kept(original, model)
    panels = [
        panel("original", original.data, model),
        panel(told(written, original), written.data, model),
    ]
    drawn(panels).save(target, quality=88, subsampling="4:4:4")


def kept(original: Original, model: Model) -> Written:
    """What a daemon with the default settings would write."""
    rule = Rule(keeper_of("t1k"), parse_ladder("paper"), Encoder("4:2:0", progressive=True), min_saving=0.01)
    outcome = explain(original, squeeze_apart(original.data), rule, model).outcome
    if isinstance(outcome, Kept):
        raise outcome
    return outcome


def told(written: Written, original: Original) -> str:
    rung = f"QF {written.rung.quality}" if written.rung else "the same pixels"
    return f"kept: {rung}, {len(original.data) / len(written.data):.1f} times smaller"


def panel(title: str, data: bytes, model: Model) -> Panel:
    image = decode(data)
    label, probability = top_five(model.look([model.prepare(image)])[0], model.class_names)[0]
    return Panel(image, (f"{title}, {len(data):,} bytes", f"{label}, probability {probability:.2f}"))


def drawn(panels: list[Panel]) -> Image.Image:
    """The panels side by side."""
    width, height = panels[0].image.size
    canvas = Image.new("RGB", (2 * width + GAP, height + 2 * LINE + MARGIN), PAPER)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=22)
    for left, shown in zip((0, width + GAP), panels, strict=True):
        canvas.paste(shown.image, (left, 0))
        for line, text in enumerate(shown.lines):
            draw.text((left + 4, height + MARGIN // 2 + line * LINE), text, INK, font)
    return canvas


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
