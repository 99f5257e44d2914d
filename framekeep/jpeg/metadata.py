"""Metadata: every APPn and COM segment, byte for byte and in their order.

Adobe's APP14 is none: it tells which colour transform a coding uses, and over another coding it would ruin the
colours. JFIF is carried, because its density is the camera's and it claims nothing that is not true of a variant.
"""

from framekeep.jpeg.markers import APP14, Segment, walk, without
from framekeep.jpeg.source import Original


def carry(coding: bytes, original: Original, *, same_coding: bool) -> bytes:
    """A coding with the original's metadata in place of its own.

    same_coding: whether it is the original's own coding, repacked. Then the original's APP14 still tells the truth
    and comes along; a variant is always YCbCr or gray, which every decoder assumes where no APP14 is.
    """
    bare = without(coding, walk(coding).metadata)
    carried = [
        original.data[segment.start : segment.end]
        for segment in original.layout.metadata
        if same_coding or not _tells_colours(original.data, segment)
    ]
    return b"".join((bare[:2], *carried, bare[2:]))


def segments_of(data: bytes) -> list[bytes]:
    """A file's metadata, whole segments in their order: equal before and after. Raises Kept as `walk` does."""
    return [data[s.start : s.end] for s in walk(data).metadata if not _tells_colours(data, s)]


def _tells_colours(data: bytes, segment: Segment) -> bool:
    return segment.marker == APP14 and segment.payload(data).startswith(b"Adobe")
