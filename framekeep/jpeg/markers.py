"""The structure of a JPEG file: a walk over its markers, from SOI to EOI.

The walk decodes nothing and trusts nothing. It goes through the entropy-coded data too, so that it knows where the
image really ends: the last two bytes of a file that is still being uploaded may well look like an EOI.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from framekeep.reasons import Kept, Reason

DHP, EXP, DNL, DAC = 0xDE, 0xDF, 0xDC, 0xCC
SOI, EOI, SOS, COM = 0xD8, 0xD9, 0xDA, 0xFE
APP0, APP1, APP2, APP11, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE, 0xEF
DHT, DQT, DRI = 0xC4, 0xDB, 0xDD
_JPEG_LS: Final = 0xF7

FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
"""The frame headers, SOF0 to SOF15."""
_METADATA: Final = frozenset({*range(APP0, APP15 + 1), COM})
_SEGMENTS: Final = FRAMES | _METADATA | {DHT, DAC, SOS, DQT, DNL, DRI, DHP, EXP}

_FILL: Final = re.compile(rb"\xff+")
# In entropy-coded data FF 00 is a data byte, FF D0 to FF D7 are restart markers, and FF FF is fill before a marker.
_SCAN_END: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

_MOST_SEGMENTS: Final = 10_000
"""More than any camera writes; a hostile file of nothing but four-byte segments must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker with its length and payload: `data[start:end]`. `start` is the index of the marker's 0xFF byte."""

    marker: int
    start: int
    end: int

    @property
    def is_metadata(self) -> bool:
        """An APPn or COM segment."""
        return self.marker in _METADATA

    def payload(self, data: bytes) -> bytes:
        """What stands behind the marker and the length."""
        return data[self.start + 4 : self.end]


@dataclass(frozen=True, slots=True)
class Component:
    """One colour component of a frame: its id and its horizontal and vertical sampling factors."""

    id: int
    horizontal: int
    vertical: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What the (first) frame header says; `marker` is one of FRAMES, width and height are in pixels."""

    marker: int
    precision: int
    width: int
    height: int
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Every segment of a file, in order, those between and behind scans included; SOI, EOI and RSTn are none.

    `end` is the index just behind EOI.
    """

    segments: tuple[Segment, ...]
    end: int
    frame: Frame

    @property
    def metadata(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.is_metadata]

    def count(self, markers: Iterable[int]) -> int:
        """How many segments have one of these markers."""
        wanted = frozenset(markers)
        return sum(segment.marker in wanted for segment in self.segments)


def walk(data: bytes) -> Layout:
    """The file's layout. Raises Kept where it is no JPEG, ends before its EOI, or has a broken structure."""
    if data[:2] != bytes((0xFF, SOI)):
        raise Kept(Reason.NOT_JPEG, "it does not begin with FF D8")
    segments: list[Segment] = []
    start = _next_marker(data, 2)
    while data[start + 1] != EOI:
        segment = _segment(data, start)
        segments.append(segment)
        if len(segments) > _MOST_SEGMENTS:
            raise Kept(Reason.UNUSUAL, f"more than {_MOST_SEGMENTS} segments")
        start = _behind_scan(data, segment.end) if segment.marker == SOS else _next_marker(data, segment.end)
    return Layout(tuple(segments), start + 2, _frame(data, segments))


def without(data: bytes, segments: Iterable[Segment]) -> bytes:
    """The file less some of its own segments, which come in their order."""
    kept, position = [], 0
    for segment in segments:
        kept.append(data[position : segment.start])
        position = segment.end
    return b"".join((*kept, data[position:]))


def _next_marker(data: bytes, position: int) -> int:
    """Where the marker that must stand at `position`, perhaps behind fill bytes, has its last 0xFF."""
    fill = _FILL.match(data, position)
    if fill and fill.end() < len(data):
        return fill.end() - 1
    if fill or position >= len(data):
        raise Kept(Reason.TRUNCATED, f"the file ends at byte {len(data)}, where a marker must follow")
    raise Kept(Reason.DAMAGED, f"no marker at byte {position}")


def _behind_scan(data: bytes, position: int) -> int:
    marker = _SCAN_END.search(data, position)
    if marker is None:
        raise Kept(Reason.TRUNCATED, f"the file ends at byte {len(data)}, within a scan")
    return marker.start()


def _segment(data: bytes, start: int) -> Segment:
    marker = data[start + 1]
    if marker not in _SEGMENTS:
        reason = Reason.LOSSLESS if marker == _JPEG_LS else Reason.DAMAGED
        raise Kept(reason, f"marker FF {marker:02X} at byte {start}")
    length = int.from_bytes(data[start + 2 : start + 4])
    end = start + 2 + length
    if start + 4 > len(data) or end > len(data):
        raise Kept(Reason.TRUNCATED, f"the file ends at byte {len(data)}, within segment FF {marker:02X}")
    if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
        raise Kept(Reason.DAMAGED, f"segment FF {marker:02X} at byte {start} has length {length}")
    return Segment(marker, start, end)


def _frame(data: bytes, segments: list[Segment]) -> Frame:
    header = next((segment for segment in segments if segment.marker in FRAMES), None)
    if header is None:
        raise Kept(Reason.DAMAGED, "no frame header")
    payload = header.payload(data)
    if len(payload) < 6 or len(payload) != 6 + 3 * payload[5]:  # noqa: PLR2004 - six bytes, then three a component
        raise Kept(Reason.DAMAGED, "the frame header's length is not that of its components")
    specifications = zip(payload[6::3], payload[7::3], strict=True)
    return Frame(
        header.marker,
        precision=payload[0],
        height=int.from_bytes(payload[1:3]),
        width=int.from_bytes(payload[3:5]),
        components=tuple(Component(id_, sampling >> 4, sampling & 15) for id_, sampling in specifications),
    )
