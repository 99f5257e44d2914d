import io
import warnings
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from framekeep.jpeg.markers import DQT, FRAMES, SOS, walk
from framekeep.jpeg.source import Limits, understand
from framekeep.reasons import Kept, Reason, Standing

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000)
HOSTILE = Path(__file__).parents[2] / ".." / "shared" / "hostile"


def jpeg(mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: object):
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def segment(marker: int, payload: bytes):
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def with_segment(data: bytes, marker: int, payload: bytes):
    return data[:2] + segment(marker, payload) + data[2:]


def start_of(data: bytes, markers: Collection[int]):
    return next(s.start for s in walk(data).segments if s.marker in markers)


def frame_patched(data: bytes, offset: int, *values: int):
    """Offsets count from the frame header's 0xFF: 1 the marker, 4 the precision, 5 the height, 7 the width."""
    at = start_of(data, FRAMES) + offset
    return data[:at] + bytes(values) + data[at + len(values) :]


def scan_damaged(data: bytes):
    at = start_of(data, (SOS,)) + 60
    return data[:at] + bytes(40) + data[at + 40 :]


def two_frames():
    data = jpeg()
    at = start_of(data, FRAMES)
    return data[:at] + data[at : at + 19] + data[at:]


def components(*samplings: int, ids: Sequence[int] = (1, 2, 3, 4)):
    triples = (bytes((id_, sampling, 0)) for id_, sampling in zip(ids, samplings, strict=False))
    frame = segment(0xC0, b"\x08\x00\x10\x00\x10" + bytes((len(samplings),)) + b"".join(triples))
    return b"\xff\xd8" + frame + segment(SOS, bytes(10)) + b"\xff\xd9"


C2PA = (
    b"JP\x00\x01\x00\x00\x00\x01\x00\x00\x01\x00jumb\x00\x00\x00\x1ejumd"
    b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
)

REFUSALS = [
    ("text", b"not a picture at all", Reason.NOT_JPEG),
    ("png", b"\x89PNG\r\n\x1a\n" + bytes(50), Reason.NOT_JPEG),
    ("cmyk", jpeg("CMYK"), Reason.CMYK),
    ("12 bit", frame_patched(jpeg(), 4, 12), Reason.TWELVE_BIT),
    ("2 bit", frame_patched(jpeg(), 4, 2), Reason.DAMAGED),
    ("arithmetic", frame_patched(jpeg(), 1, 0xC9), Reason.ARITHMETIC),
    ("progressive arithmetic", frame_patched(jpeg(), 1, 0xCA), Reason.ARITHMETIC),
    ("lossless", frame_patched(jpeg(), 1, 0xC3), Reason.LOSSLESS),
    ("lossless arithmetic", frame_patched(jpeg(), 1, 0xCB), Reason.LOSSLESS),
    ("differential", frame_patched(jpeg(), 1, 0xC5), Reason.LOSSLESS),
    ("hierarchical", with_segment(jpeg(), 0xDE, bytes(15)), Reason.LOSSLESS),
    ("multi-picture", with_segment(jpeg(), 0xE2, b"MPF\0MM\0\x2a") + jpeg(), Reason.MULTI_PICTURE),
    ("zeros behind", jpeg() + b"\0", Reason.TRAILING_DATA),
    ("a second picture behind", jpeg() + jpeg(), Reason.TRAILING_DATA),
    ("signed", with_segment(jpeg(), 0xEB, C2PA), Reason.SIGNED),
    ("too many bytes", jpeg() + bytes(1_000_000), Reason.TOO_LARGE),
    ("too many pixels", frame_patched(jpeg(), 5, 0xFF, 0xFF, 0xFF, 0xFF), Reason.TOO_LARGE),
    ("cut", jpeg()[:-40], Reason.TRUNCATED),
    ("scan damaged", scan_damaged(jpeg()), Reason.DAMAGED),
    ("progressive scan damaged", scan_damaged(jpeg(progressive=True)), Reason.DAMAGED),
    ("no tables", jpeg("L").replace(segment(DQT, b"")[:2], b"\xff\xfe"), Reason.DAMAGED),
    ("no scan", jpeg()[: start_of(jpeg(), (SOS,))] + b"\xff\xd9", Reason.DAMAGED),
    ("no width", frame_patched(jpeg(), 7, 0, 0), Reason.DAMAGED),
    ("odd JFIF", jpeg().replace(b"JFIF\0\1", b"JFIF\0\7"), Reason.DAMAGED),
    ("short JFIF", with_segment(jpeg(), 0xE0, b"JFIF"), Reason.DAMAGED),
    ("height told later", frame_patched(jpeg(), 5, 0, 0), Reason.UNUSUAL),
    ("DNL", with_segment(jpeg(), 0xDC, b"\0\x30"), Reason.UNUSUAL),
    ("arithmetic conditioning", with_segment(jpeg(), 0xCC, b"\0\0"), Reason.UNUSUAL),
    ("two frames", two_frames(), Reason.UNUSUAL),
    ("two components", components(0x11, 0x11), Reason.UNUSUAL),
    ("no component", components(), Reason.UNUSUAL),
    ("odd ids", components(0x22, 0x11, 0x11, ids=b"YCc"), Reason.UNUSUAL),
    ("odd luma", components(0x31, 0x11, 0x11), Reason.UNUSUAL),
    ("more chroma than luma", components(0x11, 0x21, 0x21), Reason.UNUSUAL),
    ("unequal chroma", components(0x22, 0x11, 0x21), Reason.UNUSUAL),
    ("too many scans", jpeg()[:-2] + segment(SOS, bytes(10)) * 200 + b"\xff\xd9", Reason.UNUSUAL),
]


@pytest.mark.parametrize(("data", "reason"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_what_is_not_understood_is_refused(data: bytes, reason: Reason):
    with pytest.raises(Kept) as kept:
        understand(data, LIMITS)
    assert kept.value.reason is reason
    assert kept.value.note
    assert reason.standing is Standing.FINAL


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"subsampling": "4:4:4"}),
        ("RGB", {"subsampling": "4:2:2"}),
        ("RGB", {"subsampling": "4:2:0", "progressive": True}),
        ("RGB", {"keep_rgb": True, "subsampling": "4:4:4"}),
        ("L", {"restart_marker_blocks": 3}),
    ],
)
def test_usual_pictures_are_understood(mode: str, options: dict[str, object]):
    data = jpeg(mode, **options)
    original = understand(data, LIMITS)
    assert (original.mode, original.width, original.height) == (mode, 64, 48)
    assert original.data == data
    assert original.layout == walk(data)


def test_limits_are_inclusive():
    data = jpeg()
    limits = Limits(len(data), 64 * 48)
    assert understand(data, limits).width == 64
    for tighter in (replace(limits, max_bytes=len(data) - 1), replace(limits, max_pixels=64 * 48 - 1)):
        with pytest.raises(Kept, match="too_large"):
            understand(data, tighter)


def test_a_jumbf_box_that_signs_nothing_is_metadata():
    assert understand(with_segment(jpeg(), 0xEB, C2PA.replace(b"c2pa", b"json")), LIMITS).width == 64


def test_a_broken_exif_is_carried_not_parsed():
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x1a\x01\x05\0\xff\xff\xff\xff\xff\xff\xff\xff" * 20
    data = with_segment(jpeg(), 0xE1, exif)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert understand(data, LIMITS).width == 64
    assert not caught


def test_a_picture_beyond_pillow_s_own_bomb_limit_is_a_matter_of_ours():
    file = io.BytesIO()
    Image.new("L", (9_600, 9_600)).save(file, "JPEG")
    assert understand(file.getvalue(), Limits(10_000_000, 100_000_000)).width == 9_600


@pytest.mark.camera
@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the malformed pictures are not beside this checkout")
def test_malformed_pictures_are_refused_or_whole():
    for path in filter(Path.is_file, HOSTILE.rglob("*")):
        data = path.read_bytes()
        try:
            assert understand(data, Limits(10_000_000, 100_000_000)).layout.end == len(data)
        except Kept as kept:
            assert kept.reason.standing is Standing.FINAL  # noqa: PT017 - either outcome is right
