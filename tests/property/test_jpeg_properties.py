import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from framekeep.jpeg.codec import decode, encode, same_pixels
from framekeep.jpeg.markers import walk
from framekeep.jpeg.metadata import carry, segments_of
from framekeep.jpeg.source import Limits, understand
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import Rung
from framekeep.reasons import Kept, Reason

LIMITS = Limits(10_000_000, 1_000_000)
BROKEN = {Reason.NOT_JPEG, Reason.TRUNCATED, Reason.DAMAGED}


@st.composite
def images(draw: st.DrawFn):
    """Anything from flat to noise, of any small size, gray or in colours."""
    width, height, seed = draw(st.integers(1, 70)), draw(st.integers(1, 70)), draw(st.integers(0, 99))
    spread = draw(st.sampled_from((1, 40, 256)))
    shape = (height, width) if draw(st.booleans()) else (height, width, 3)
    return Image.fromarray(np.random.default_rng(seed).integers(0, spread, shape, dtype=np.uint8))


@st.composite
def jpegs(draw: st.DrawFn):
    file = io.BytesIO()
    image = draw(images())
    colour = {"subsampling": draw(st.sampled_from(("4:4:4", "4:2:2", "4:2:0")))} if image.mode == "RGB" else {}
    image.save(
        file,
        "JPEG",
        quality=draw(st.integers(1, 90)),
        progressive=draw(st.booleans()),
        restart_marker_blocks=draw(st.sampled_from((0, 0, 1, 5))),
        **colour,
    )
    return file.getvalue()


payloads = st.binary(max_size=60) | st.just(b"Exif\0\0II*\0\xff\xd8\xff\xd9") | st.integers(0, 65533).map(bytes)
harmless = payloads.filter(lambda payload: not payload.startswith((b"MPF\0", b"JP")))  # Hypothesis does try these
segments = st.builds(
    lambda marker, payload: bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload,
    st.sampled_from([*range(0xE1, 0xEE), 0xEF, 0xFE]),
    harmless,
)


@st.composite
def with_metadata(draw: st.DrawFn):
    data, places = draw(jpegs()), draw(st.lists(st.tuples(st.integers(0), segments), max_size=6))
    for place, segment in places:
        positions = [s.start for s in walk(data).segments] + [len(data) - 2]
        position = positions[place % len(positions)]
        data = data[:position] + segment + data[position:]
    return data


def metadata_of(data: bytes):
    return [data[s.start : s.end] for s in walk(data).metadata]


@settings(deadline=None, max_examples=120)
@given(with_metadata(), st.sampled_from((10, 50, 90, 100)), st.booleans())
def test_metadata_survives_and_pixels_do(data: bytes, quality: int, progressive: bool):
    original = understand(data, LIMITS)
    image = decode(data)
    coding = encode(image, Rung(quality), "4:2:0")
    final = squeeze(coding) if progressive else encode(image, Rung(quality), "4:2:0", optimize=True)
    written = carry(final, original, same_coding=False)
    assert same_pixels(written, coding)
    assert metadata_of(written) == metadata_of(data) == segments_of(data)
    assert understand(written, LIMITS).mode == original.mode


@settings(deadline=None, max_examples=80)
@given(with_metadata())
def test_a_squeezed_original_has_the_same_metadata_and_pixels(data: bytes):
    squeezed = carry(squeeze(data), understand(data, LIMITS), same_coding=True)
    assert metadata_of(squeezed) == metadata_of(data)
    assert same_pixels(squeezed, data)


@settings(deadline=None)
@given(with_metadata())
def test_the_walk_ends_where_the_file_does(data: bytes):
    layout = walk(data)
    assert layout.end == len(data)
    assert decode(data).size == (layout.frame.width, layout.frame.height)


@settings(deadline=None, max_examples=150)
@given(with_metadata(), st.data(), st.integers(0, 5000))
def test_a_truncated_file_is_never_accepted(data: bytes, draw: st.DataObject, zeros: int):
    cut = data[: draw.draw(st.integers(0, len(data) - 1))] + bytes(zeros)
    with pytest.raises(Kept) as kept:
        understand(cut, LIMITS)
    assert kept.value.reason in BROKEN


@settings(deadline=None, max_examples=150)
@given(jpegs(), st.data())
def test_damaged_bytes_raise_nothing_but_a_reason(data: bytes, draw: st.DataObject):
    damaged = bytearray(data)
    for place in draw.draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=5)):
        damaged[place] = draw.draw(st.integers(0, 255))
    with suppress(Kept):
        original = understand(bytes(damaged), LIMITS)
        image = decode(original.data)
        assert (image.mode, image.size) == (original.mode, (original.width, original.height))


@given(st.binary(max_size=300).map(lambda tail: b"\xff\xd8\xff" + tail))
def test_hostile_bytes_raise_nothing_but_a_reason(data: bytes):
    with suppress(Kept):
        understand(data, LIMITS)
