"""What `explain --picture` draws: original and kept variant side by side, and below them every rung."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from daemon.explaining import Explained
from framekeep.errors import UsageError
from framekeep.evidence import Detections, Evidence
from framekeep.explaining import Explanation, Seen
from framekeep.jpeg.codec import decode
from framekeep.keepers.objects import ObjectKeeper, object_keeper_in
from framekeep.models.describing import top_five
from framekeep.regions.rule import Region
from framekeep.variants import Written
from storage.names import printable

_KINDS: Final = (".png", ".jpg", ".jpeg", ".webp")
_PANEL: Final = (800, 600)
_THUMB: Final = (200, 150)
_GAP: Final = 16
_LINE: Final = 20
_PAPER: Final = "#ffffff"
_INK: Final = "#202124"
FOUND: Final = "#1a8f3c"
LOST: Final = "#c5221f"
NEW: Final = "#e8710a"
PROTECTED: Final = "#1a73e8"
_COLUMNS: Final = (2 * _PANEL[0] + _GAP + _GAP) // (_THUMB[0] + _GAP)


Edges = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Some detections and how they are drawn."""

    detections: Detections
    colour: str


@dataclass(frozen=True, slots=True)
class _Panel:
    """A picture with its boxes, and the lines below it."""

    picture: Image.Image
    boxes: Sequence[_Boxes]
    lines: Sequence[str]


def check_drawable(path: Path | None) -> None:
    """Raises UsageError for a file's name whose kind cannot be drawn, before a model is loaded for it."""
    if path is not None and path.suffix.lower() not in _KINDS:
        raise UsageError(f"{path} names no kind of picture that can be drawn: end its name in {', '.join(_KINDS)}")


def write_picture(path: Path, answer: Explained, class_names: Sequence[str]) -> None:
    """Raises UsageError where the model looked at nothing, or the file cannot be written."""
    if answer.explanation is None or answer.source is None:
        raise UsageError(f"there is nothing to draw: {answer.outcome}")
    try:
        draw(answer, answer.explanation, answer.source.data, class_names).save(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def draw(answer: Explained, explanation: Explanation, original: bytes, class_names: Sequence[str]) -> Image.Image:
    """A picture that is wide enough for two panels."""
    keeper = object_keeper_in(answer.rules.keeper)
    panels = [_original(explanation, original, keeper, class_names), _kept(answer, explanation, original, class_names)]
    heights = [_drawn_height(panel.picture, _PANEL, len(panel.lines)) for panel in panels]
    rows = -(-len(explanation.variants) // _COLUMNS)
    strip = max((_drawn_height(decode(seen.variant.data), _THUMB, 3) for seen in explanation.variants), default=0)
    size = (2 * _PANEL[0] + 3 * _GAP, 2 * _GAP + _LINE + max(heights) + rows * (strip + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP, _GAP), _title(answer), _INK, _font(16))
    top = 2 * _GAP + _LINE
    for column, panel in enumerate(panels):
        _place(sheet, panel, (_GAP + column * (_PANEL[0] + _GAP), top), _PANEL)
    top += max(heights) + _GAP
    for index, seen in enumerate(explanation.variants):
        corner = (_GAP + index % _COLUMNS * (_THUMB[0] + _GAP), top + index // _COLUMNS * (strip + _GAP))
        _place(sheet, _rung(seen), corner, _THUMB)
    return sheet


def _title(answer: Explained) -> str:
    rules = answer.rules
    return f"{printable(answer.place.path)}   keeper {rules.keeper.name}, model {rules.settings.model}"


def _original(explanation: Explanation, data: bytes, keeper: ObjectKeeper | None, class_names: Sequence[str]) -> _Panel:
    found = explanation.original.detections
    boxes = [_Boxes(keeper.wanted(found), FOUND)] if keeper and found is not None else []
    count = f"{len(boxes[0].detections)} objects" if boxes else ""
    if explanation.regions:
        boxes.append(_Boxes(_as_detections(explanation.regions), PROTECTED))
        count += f", {len(explanation.regions)} protected"
    lines = [f"original: {len(data):,} bytes", _seen(count, explanation.original, class_names)]
    return _Panel(decode(data), boxes, lines)


def _as_detections(regions: Sequence[Region]) -> Detections:
    """Regions to be drawn as boxes are."""
    return Detections(
        tuple(region.label for region in regions),
        np.array([region.score for region in regions], dtype=np.float32),
        np.array([region.box for region in regions], dtype=np.float32),
    )


def _kept(answer: Explained, explanation: Explanation, original: bytes, class_names: Sequence[str]) -> _Panel:
    keeper = object_keeper_in(answer.rules.keeper)
    if not isinstance(answer.outcome, Written):
        note = answer.outcome.note or answer.outcome.reason.sentence
        return _Panel(decode(original), [], [f"kept as it is: {note}"])
    written, rung = answer.outcome, answer.outcome.rung
    seen = next((seen for seen in explanation.variants if rung and seen.variant.rung == rung), None)
    evidence = seen.evidence if seen else explanation.original
    smaller = f"{len(original) / len(written.data):.1f} times smaller"
    name = f"kept at {rung.name}" if rung else "kept: the original's own pixels, squeezed"
    boxes = (
        [_Boxes(keeper.acceptable(evidence.detections), FOUND)] if keeper and evidence.detections is not None else []
    )
    again = _found_again(explanation.original, seen, keeper)
    lines = [f"{name}: {len(written.data):,} bytes, {smaller}", _seen(again, evidence, class_names)]
    return _Panel(decode(written.data), boxes, lines)


def _rung(seen: Seen) -> _Panel:
    boxes = [_Boxes(seen.objects.lost, LOST), _Boxes(seen.objects.new, NEW)] if seen.objects else []
    verdict = "qualifies" if seen.qualifies else seen.why
    return _Panel(
        decode(seen.variant.data), boxes, [f"{seen.variant.rung.name}: {len(seen.variant.data):,} bytes", verdict]
    )


def _found_again(original: Evidence, seen: Seen | None, keeper: ObjectKeeper | None) -> str:
    """Scores may be lower than in the original, by the slack, so those of the variant alone would count too few."""
    if keeper is None or seen is None or seen.objects is None or original.detections is None:
        return ""
    wanted = len(keeper.wanted(original.detections))
    return f"{wanted - len(seen.objects.lost)} of {wanted} objects found again"


def _seen(objects: str, evidence: Evidence, class_names: Sequence[str]) -> str:
    """What was seen, in one line: objects where they are compared, and the likeliest labels where those are."""
    labels = ", ".join(f"{name} {probability:.2f}" for name, probability in top_five(evidence, class_names)[:3])
    return "; ".join(part for part in (objects, labels) if part)


def _place(sheet: Image.Image, panel: _Panel, corner: tuple[int, int], room: tuple[int, int]) -> None:
    picture = panel.picture.convert("RGB")
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    sheet.paste(picture.resize(size), corner)
    pen = ImageDraw.Draw(sheet)
    is_thumb = room == _THUMB
    for boxes in panel.boxes:
        _outline(pen, boxes, scale, corner)
    if not is_thumb:
        _name(pen, panel.boxes, scale, (*corner, corner[0] + size[0], corner[1] + size[1]))
    font = _font(12 if is_thumb else 16)
    for index, line in enumerate(panel.lines):
        fitting = _cut(line, font, room[0])
        pen.text((corner[0], corner[1] + size[1] + 4 + index * _LINE), fitting, _INK, font)


def _outline(pen: ImageDraw.ImageDraw, boxes: _Boxes, scale: float, corner: tuple[int, int]) -> None:
    for box in boxes.detections.boxes.tolist():
        left, top, right, bottom = _scaled(box, scale, corner)
        pen.rectangle((left, top, max(left, right), max(top, bottom)), outline=boxes.colour, width=2)


def _name(pen: ImageDraw.ImageDraw, drawn: Sequence[_Boxes], scale: float, panel: tuple[int, int, int, int]) -> None:
    """Class and score above each box or, where another name is, below it."""
    taken: list[Edges] = []
    for boxes in drawn:
        found = boxes.detections
        for label, score, box in zip(found.labels, found.scores.tolist(), found.boxes.tolist(), strict=True):
            text = f"{label} {score:.2f}"
            left, top, _, bottom = _scaled(box, scale, panel[:2])
            left = max(panel[0], min(left + 2, panel[2] - pen.textlength(text, _font(12)) - 1))
            heights = (max(panel[1], top - 16), min(bottom, panel[3] - 16), max(panel[1], top + 2))
            places = [pen.textbbox((left, height), text, _font(12)) for height in heights]
            place = next((place for place in places if not any(_overlap(place, other) for other in taken)), places[0])
            taken.append(place)
            pen.rectangle(place, fill=boxes.colour)
            pen.text(place[:2], text, _PAPER, _font(12), anchor="lt")


def _scaled(box: Sequence[float], scale: float, corner: Sequence[int]) -> Edges:
    left, top, right, bottom = (corner[side % 2] + edge * scale for side, edge in enumerate(box))
    return left, top, right, bottom


def _overlap(one: Edges, other: Edges) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _cut(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """As much of the line as fits."""
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(f"{line}…") > width:
        line = line[:-1]
    return f"{line}…"


def _drawn_height(picture: Image.Image, room: tuple[int, int], lines: int) -> int:
    scale = min(room[0] / picture.width, room[1] / picture.height)
    return max(1, round(picture.height * scale)) + 4 + lines * _LINE


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
