import io

import pytest
from PIL import Image

from framekeep.jpeg.markers import APP1, COM, FRAMES, SOS, Component, Segment, walk, without
from framekeep.reasons import Kept, Reason

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
FRAME = b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00"
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"


def segment(marker: int, payload: bytes):
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def jpeg(mode: str = "RGB", size: tuple[int, int] = (40, 24), **options: object):
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def reason_for(data: bytes):
    with pytest.raises(Kept) as kept:
        walk(data)
    return kept.value.reason


def test_frame_and_segments_of_a_real_file():
    data = jpeg(subsampling="4:2:0", comment=b"gate 3")
    layout = walk(data)
    assert layout.end == len(data)
    assert (layout.frame.marker, layout.frame.precision) == (0xC0, 8)
    assert (layout.frame.width, layout.frame.height) == (40, 24)
    assert layout.frame.components == (Component(1, 2, 2), Component(2, 1, 1), Component(3, 1, 1))
    assert [s.payload(data) for s in layout.segments if s.marker == COM] == [b"gate 3"]
    assert [s.marker for s in layout.metadata] == [0xE0, COM]


def test_progressive_scans_are_all_walked():
    assert walk(jpeg(progressive=True)).count((SOS,)) > 5


def test_end_is_the_walk_s_not_the_last_bytes():
    data = SOI + FRAME + SCAN + b"\x11\x22" + EOI
    assert walk(data + b"tail" + EOI).end == len(data)


@pytest.mark.parametrize(
    "entropy", [b"", b"\xff\x00", b"\x12\xff\xd0\x34\xff\xd7", b"\x12\xff\xff\x00", b"\xff\xff\xff"]
)
def test_stuffing_restarts_and_fill_are_entropy_data(entropy: bytes):
    data = SOI + FRAME + SCAN + entropy + EOI
    assert walk(data).end == len(data)


def test_fill_bytes_before_a_marker_are_no_part_of_its_segment():
    data = SOI + b"\xff\xff" + segment(COM, b"note") + FRAME + SCAN + EOI
    assert walk(data).segments[0] == Segment(COM, 4, 12)


def test_a_thumbnail_s_markers_are_payload():
    data = SOI + segment(APP1, jpeg()) + FRAME + SCAN + EOI
    assert walk(data).end == len(data)
    assert walk(data).count(FRAMES) == 1


def test_segments_behind_the_scan_are_found():
    data = SOI + FRAME + SCAN + b"\x01" + segment(COM, b"late") + EOI
    assert [s.payload(data) for s in walk(data).metadata] == [b"late"]


def test_without_cuts_just_these_segments():
    data = SOI + segment(COM, b"a") + FRAME + segment(APP1, b"b") + SCAN + b"\x01" + EOI
    assert without(data, walk(data).metadata) == SOI + FRAME + SCAN + b"\x01" + EOI
    assert without(data, []) == data


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x89PNG\r\n\x1a\n", b"\xd8\xff\xd8"])
def test_not_a_jpeg(data: bytes):
    assert reason_for(data) is Reason.NOT_JPEG


@pytest.mark.parametrize(
    "data",
    [
        SOI,
        SOI + b"\xff",
        SOI + b"\xff\xff\xff",
        SOI + b"\xff\xe0",
        SOI + b"\xff\xe0\x00",
        SOI + b"\xff\xe0\x00\x10JFIF",
        SOI + FRAME + SCAN,
        SOI + FRAME + SCAN + b"\x12\x34\xff",
        SOI + FRAME + SCAN + b"\x12\x34\xff" + bytes(5000),  # an upload into a file of its final size
    ],
)
def test_truncated(data: bytes):
    assert reason_for(data) is Reason.TRUNCATED


@pytest.mark.parametrize(
    "data",
    [
        SOI + b"\x00" + FRAME + SCAN + EOI,
        SOI + b"\xff\xe0\x00\x01" + FRAME + SCAN + EOI,
        SOI + FRAME + b"\xff\xda\x00\x01" + EOI,
        SOI + b"\xff\x00" + FRAME + SCAN + EOI,
        SOI + FRAME + SCAN + b"\x12\xff\x3a\x00" + EOI,
        SOI + SOI + FRAME + SCAN + EOI,
        SOI + EOI,
        SOI + FRAME[:-1].replace(b"\x00\x0b", b"\x00\x0a") + SCAN + EOI,
        SOI + segment(0xC0, b"\x08\x00") + SCAN + EOI,
    ],
)
def test_damaged(data: bytes):
    assert reason_for(data) is Reason.DAMAGED


def test_jpeg_ls_is_lossless():
    assert reason_for(SOI + segment(0xF7, bytes(9)) + EOI) is Reason.LOSSLESS


def test_a_flood_of_tiny_segments_ends_early():
    assert reason_for(SOI + segment(COM, b"") * 3_000_000) is Reason.UNUSUAL


@pytest.mark.parametrize("flood", [b"\xff", b"\xff\x00", b"\xff\xd0", b"\x00"])
def test_a_flood_in_the_scan_is_walked_in_one_pass(flood: bytes):
    assert reason_for(SOI + FRAME + SCAN + flood * 4_000_000) is Reason.TRUNCATED


def test_a_flood_of_fill_bytes_is_walked_in_one_pass():
    assert reason_for(SOI + b"\xff" * 8_000_000) is Reason.TRUNCATED
