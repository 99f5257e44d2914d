"""What is read from a camera: bytes that are understood well enough to be replaced, or a refusal with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import simplejpeg

from framekeep.jpeg import markers
from framekeep.jpeg.codec import opened
from framekeep.jpeg.markers import Component, Frame, Layout, walk
from framekeep.reasons import Kept, Reason

_Objection: TypeAlias = tuple[Reason, str]

_HUFFMAN_DCT: Final = (0xC0, 0xC1, 0xC2)
_ARITHMETIC_DCT: Final = (0xC9, 0xCA)
_IDS: Final = ((0, 1, 2), (1, 2, 3), tuple(b"RGB"))
"""The component ids whose colours all decoders agree about."""
_SAMPLINGS: Final = {
    (1, 1): {(1, 1)},
    (2, 1): {(1, 1), (2, 1)},
    (1, 2): {(1, 1), (1, 2)},
    (2, 2): {(1, 1), (1, 2), (2, 1)},
    (4, 1): {(1, 1)},
    (1, 4): {(1, 1)},
}
"""The first component's sampling factors, and those that both others may have then: what the strict decoder knows."""
_MOST_SCANS: Final = 100
"""Progressive files have about ten; each costs a pass over the whole picture, so thousands would stall a decoder."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest picture that is touched: bytes of the file, pixels of the frame."""

    max_bytes: int
    max_pixels: int


@dataclass(frozen=True)
class Original:
    """A picture as the camera delivered it, understood. Sizes are in pixels."""

    data: bytes = field(repr=False)
    layout: Layout = field(repr=False)
    mode: Literal["L", "RGB"]
    width: int
    height: int


def understand(data: bytes, limits: Limits) -> Original:
    """The picture in a file's bytes. Raises Kept for all that must be left as it is."""
    if len(data) > limits.max_bytes:
        raise Kept(Reason.TOO_LARGE, f"{len(data)} bytes; the limit is {limits.max_bytes}")
    layout = walk(data)
    if objection := next(_objections(data, layout, limits), None):
        raise Kept(*objection)
    _decode_strictly(data)
    original = _original(data, layout)
    _compare_with_pillow(original)
    return original


def _original(data: bytes, layout: Layout) -> Original:
    frame = layout.frame
    mode: Literal["L", "RGB"] = "L" if len(frame.components) == 1 else "RGB"
    return Original(data, layout, mode, frame.width, frame.height)


def _objections(data: bytes, layout: Layout, limits: Limits) -> Iterator[_Objection]:
    yield from _of_coding(layout)
    yield from _of_frame(layout.frame)
    yield from _of_size(layout.frame, limits)
    yield from _of_content(data, layout)


def _of_coding(layout: Layout) -> Iterator[_Objection]:
    marker = layout.frame.marker
    if layout.count((markers.DHP, markers.EXP)):
        yield Reason.LOSSLESS, "hierarchical coding"
    if marker in _ARITHMETIC_DCT:
        yield Reason.ARITHMETIC, f"frame header FF {marker:02X}"
    if marker not in _HUFFMAN_DCT:
        yield Reason.LOSSLESS, f"lossless or differential coding (frame header FF {marker:02X})"
    if layout.count(markers.FRAMES) > 1:
        yield Reason.UNUSUAL, "more than one frame header"
    if layout.count((markers.DNL, markers.DAC)):
        yield Reason.UNUSUAL, "a DNL or DAC segment"
    if layout.count((markers.SOS,)) > _MOST_SCANS:
        yield Reason.UNUSUAL, f"more than {_MOST_SCANS} scans"


def _of_frame(frame: Frame) -> Iterator[_Objection]:
    components = frame.components
    if frame.precision != 8:  # noqa: PLR2004 - bits a sample
        reason = Reason.TWELVE_BIT if frame.precision > 8 else Reason.DAMAGED  # noqa: PLR2004 - as above
        yield reason, f"{frame.precision} bits a sample"
    if len(components) == 4:  # noqa: PLR2004 - C, M, Y and K
        yield Reason.CMYK, "four components"
    if len(components) not in (1, 3):
        yield Reason.UNUSUAL, f"{len(components)} components"
    ids = tuple(component.id for component in components)
    if len(ids) > 1 and ids not in _IDS:
        yield Reason.UNUSUAL, f"component ids {ids}"
    if not _sampling_is_usual(components):
        yield Reason.UNUSUAL, "sampling factors " + ", ".join(f"{c.horizontal}x{c.vertical}" for c in components)


def _sampling_is_usual(components: tuple[Component, ...]) -> bool:
    first, *others = ((c.horizontal, c.vertical) for c in components)
    return not others or (len(set(others)) == 1 and others[0] in _SAMPLINGS.get(first, ()))


def _of_size(frame: Frame, limits: Limits) -> Iterator[_Objection]:
    if frame.height == 0:
        yield Reason.UNUSUAL, "the height is not in the frame header"
    if frame.width == 0:
        yield Reason.DAMAGED, "the width is zero"
    if frame.width * frame.height > limits.max_pixels:
        yield Reason.TOO_LARGE, f"{frame.width} x {frame.height} pixels; the limit is {limits.max_pixels}"


def _of_content(data: bytes, layout: Layout) -> Iterator[_Objection]:
    for segment in layout.metadata:
        if segment.marker == markers.APP2 and segment.payload(data).startswith(b"MPF\0"):
            yield Reason.MULTI_PICTURE, "an index of several pictures (MPF)"
        if segment.marker == markers.APP11 and _is_signature(segment.payload(data)):
            yield Reason.SIGNED, "a C2PA manifest"
    if layout.end < len(data):
        yield Reason.TRAILING_DATA, f"{len(data) - layout.end} bytes behind the end of the image"


def _is_signature(payload: bytes) -> bool:
    """Whether an APP11 payload is a JUMBF box (it begins with JP) that C2PA labels as its own."""
    return payload.startswith(b"JP") and b"c2pa" in payload


def _decode_strictly(data: bytes) -> None:
    """Refuses what libjpeg decodes only with warnings. Gray is enough: it still reads every coefficient."""
    try:
        simplejpeg.decode_jpeg(data, "GRAY", strict=True)
    except ValueError as error:
        raise Kept(Reason.DAMAGED, str(error)) from error


def _compare_with_pillow(original: Original) -> None:
    with opened(original.data, original.layout) as image:
        found = image.mode, *image.size
    if found != (original.mode, original.width, original.height):
        raise Kept(Reason.DAMAGED, f"Pillow finds {found} where the frame header tells otherwise")
