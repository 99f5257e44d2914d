import io

import pytest
from PIL import Image

from framekeep.jpeg.codec import encode, same_pixels
from framekeep.jpeg.markers import SOS, walk
from framekeep.jpeg.source import Limits, understand
from framekeep.jpeg.squeeze import squeeze, squeeze_apart
from framekeep.ladder import Rung


def picture(mode: str):
    bands = [Image.linear_gradient("L").rotate(angle).resize((320, 240)) for angle in (0, 90, 180)]
    return Image.merge("RGB", bands).convert(mode)


def segment(marker: int, payload: bytes):
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def out_of_range():
    """One gray block whose first AC coefficient has 11 bits, one more than 8-bit pixels can give."""
    dc = b"\x00" + bytes((1, *[0] * 15)) + b"\x00"
    ac = b"\x10" + bytes((0, 2, *[0] * 14)) + b"\x0b\x00"
    return b"".join((
        b"\xff\xd8",
        segment(0xDB, b"\x00" + b"\x01" * 64),
        segment(0xC0, b"\x08\x00\x08\x00\x08\x01\x01\x11\x00"),
        segment(0xC4, dc + ac),
        segment(SOS, b"\x01\x01\x00\x00\x3f\x00"),
        bytes((0b0_00_11111, 0b111111_01)),  # DC 0; size 11, value 2047; end of block
        b"\xff\xd9",
    ))  # fmt: skip


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_squeezed_variant_is_smaller_progressive_and_equal(mode: str):
    variant = encode(picture(mode), Rung(30), "4:2:0")
    squeezed = squeeze(variant)
    assert len(squeezed) < len(variant)
    assert walk(squeezed).frame.marker == 0xC2
    assert same_pixels(squeezed, variant)


def test_an_original_is_squeezed_in_a_child():
    file = io.BytesIO()
    picture("RGB").save(file, "JPEG", quality=92, restart_marker_rows=1, comment=b"gate")
    squeezed = squeeze_apart(file.getvalue())
    assert squeezed == squeeze(file.getvalue())
    assert same_pixels(squeezed, file.getvalue())


def test_an_original_that_kills_the_squeezer_kills_only_the_child():
    data = out_of_range()
    assert understand(data, Limits(1000, 1000)).mode == "L"
    assert squeeze_apart(data) is None


def test_what_is_no_picture_cannot_be_squeezed():
    assert squeeze_apart(b"no picture") is None
