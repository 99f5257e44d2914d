import io
from collections.abc import Sequence

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from framekeep.jpeg.codec import decode, encode, same_pixels
from framekeep.jpeg.markers import APP0, APP14, FRAMES, walk, without
from framekeep.jpeg.metadata import carry, segments_of
from framekeep.jpeg.source import Limits, understand
from framekeep.jpeg.squeeze import squeeze, squeeze_apart
from framekeep.ladder import Rung

LIMITS = Limits(1_000_000, 1_000_000)


def segment(marker: int, payload: bytes):
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def adobe(transform: int):
    return segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00" + bytes((transform,)))


JFIF = segment(0xE0, b"JFIF\x00\x01\x02\x01\x01\x2c\x01\x2c\x00\x00")
EXIF = segment(0xE1, b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
VENDOR = segment(0xEE, b"Ricoh\x00\x01")
METADATA = [
    EXIF,
    segment(0xED, b"Photoshop 3.0\x00"),
    segment(0xFE, b"gate 3"),
    VENDOR,
    EXIF,
    segment(0xE0, b"AVI1\0\0"),
]


def stripes():
    """Saturated red, green and blue: a wrong colour transform cannot be missed."""
    pixels = np.zeros((48, 96, 3), dtype=np.uint8)
    for band in range(3):
        pixels[:, 32 * band : 32 * band + 32, band] = 230
    return Image.fromarray(pixels)


def coded(front: Sequence[bytes] = (), ids: bytes | None = None, **options: object):
    """A JPEG of the stripes with just these segments behind SOI, and these component ids."""
    file = io.BytesIO()
    stripes().save(file, "JPEG", quality=95, subsampling="4:4:4", **options)
    data = file.getvalue()
    data = without(data, walk(data).metadata)
    data = data[:2] + b"".join(front) + data[2:]
    return with_ids(data, ids) if ids else data


def with_ids(data: bytes, ids: bytes):
    """The ids stand in the frame header and again in the scan's, three and two bytes apart."""
    changed = bytearray(data)
    frame = next(s for s in walk(data).segments if s.marker in FRAMES)
    scan = next(s for s in walk(data).segments if s.marker == 0xDA)
    changed[frame.start + 10 : frame.end : 3] = ids
    changed[scan.start + 5 : scan.start + 11 : 2] = ids
    return bytes(changed)


ORIGINALS = {
    "JFIF": coded([JFIF]),
    "no marker": coded(),
    "ids from 0": coded(ids=b"\x00\x01\x02"),
    "Adobe 1": coded([adobe(1)]),
    "JFIF and Adobe 1": coded([JFIF, EXIF, adobe(1)]),
    "Adobe 0, ids RGB": coded([adobe(0)], keep_rgb=True),
    "Adobe 0, ids 1 2 3": coded([adobe(0)], ids=b"\x01\x02\x03", keep_rgb=True),
    "no marker, ids RGB": coded(keep_rgb=True),
}


def colours_are_right(data: bytes):
    expected = np.asarray(stripes(), dtype=int)
    return all(np.abs(np.asarray(pixels, dtype=int) - expected).mean() < 12 for pixels in decoded_twice(data))


def decoded_twice(data: bytes):
    return decode(data), simplejpeg.decode_jpeg(data, "RGB", strict=True)


@pytest.mark.parametrize("name", ORIGINALS)
def test_colours_stay_right_in_a_variant(name: str):
    original = understand(ORIGINALS[name], LIMITS)
    assert colours_are_right(original.data)
    coding = encode(decode(original.data), Rung(90), "4:4:4")
    for repacked in (coding, squeeze(coding)):
        variant = carry(repacked, original, same_coding=False)
        assert colours_are_right(variant)
        assert same_pixels(variant, coding)
        assert segments_of(variant) == segments_of(original.data)
        assert APP14 not in [s.marker for s in walk(variant).metadata]


@pytest.mark.parametrize("name", ORIGINALS)
def test_a_squeezed_original_keeps_its_colours_and_every_segment(name: str):
    original = understand(ORIGINALS[name], LIMITS)
    squeezed = carry(squeeze_apart(original.data), original, same_coding=True)
    assert same_pixels(squeezed, original.data)
    assert colours_are_right(squeezed)
    assert [squeezed[s.start : s.end] for s in walk(squeezed).metadata] == [
        original.data[s.start : s.end] for s in original.layout.metadata
    ]


def test_segments_are_carried_byte_for_byte_in_their_order():
    original = understand(coded([*METADATA, adobe(1)]), LIMITS)
    variant = carry(encode(stripes(), Rung(50), "4:2:0"), original, same_coding=False)
    assert segments_of(original.data) == METADATA
    assert segments_of(variant) == METADATA
    assert variant.startswith(b"\xff\xd8" + b"".join(METADATA))


def test_the_original_s_density_replaces_the_encoder_s_jfif():
    original = understand(coded([JFIF]), LIMITS)
    variant = carry(encode(stripes(), Rung(50), "4:2:0"), original, same_coding=False)
    assert segments_of(variant) == [JFIF]
    with Image.open(io.BytesIO(variant)) as image:
        assert image.info["dpi"] == (300, 300)


def test_no_jfif_is_added():
    original = understand(coded(), LIMITS)
    variant = carry(encode(stripes(), Rung(50), "4:2:0"), original, same_coding=False)
    assert APP0 not in [s.marker for s in walk(variant).metadata]


def test_segments_behind_the_frame_and_the_scan_are_carried_too():
    data = coded([JFIF])
    frame = next(s for s in walk(data).segments if s.marker in FRAMES)
    data = data[: frame.end] + EXIF + data[frame.end : -2] + VENDOR + data[-2:]
    original = understand(data, LIMITS)
    variant = carry(encode(stripes(), Rung(50), "4:2:0"), original, same_coding=False)
    assert segments_of(variant) == [JFIF, EXIF, VENDOR]
    assert understand(variant, LIMITS).width == 96
