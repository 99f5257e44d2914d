"""The floor: why a ladder of plain rungs needs no comparing, but over plain backgrounds."""

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from framekeep.floor import Floor
from framekeep.jpeg.codec import encode
from framekeep.ladder import Rung, parse_ladder

FINE = [rung.quality for rung in parse_ladder("fine").rungs]
NEAR = 0.005
"""One step of quality at the floor changes the likeness by two or three times as much."""


DETAILED = (1.0, 2.0)
"""Where there is nearly no detail, a low quality and half of it may leave equally little."""


@st.composite
def pictures(draw: st.DrawFn, strengths: tuple[float, ...] = (0.2, *DETAILED)) -> Image.Image:
    """Detail of every size, from nearly none to a texture."""
    rng, strength = np.random.default_rng(draw(st.integers(0, 999))), draw(st.sampled_from(strengths))
    size = draw(st.integers(64, 200)), draw(st.integers(64, 200))
    pixels = np.full((size[1], size[0]), 128.0)
    for step in (1, 2, 4, 8, 16, 32):
        coarse = rng.integers(0, 256, (size[1] // step + 1, size[0] // step + 1), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
        pixels += (smooth - 128.0) * strength * step / 48
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return Image.open(file)


@settings(max_examples=60)
@given(pictures(), st.sampled_from([10, 20, 40]), st.data())
def test_a_plain_rung_above_the_floor_looks_no_worse(image: Image.Image, quality: int, data: st.DataObject):
    floor = Floor.of(image, quality, "4:2:0")
    higher = data.draw(st.sampled_from([rung for rung in FINE if rung >= quality]))
    assert floor.bound is not None
    assert floor.likeness(encode(image, Rung(higher), "4:2:0")) >= floor.bound - NEAR


@settings(max_examples=30)
@given(pictures(DETAILED), st.sampled_from([10, 20, 40]))
def test_the_floor_holds_for_itself_and_not_for_half_its_quality(image: Image.Image, quality: int):
    floor = Floor.of(image, quality, "4:2:0")
    assert floor.holds(encode(image, Rung(quality), "4:2:0"))
    assert not floor.holds(encode(image, Rung(quality // 2), "4:2:0"))
