"""Regions of any picture that framekeep understands: what is protected keeps its pixels and its coefficients."""

import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Limits, understand
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import EXACT, Rung
from framekeep.regions.coarsening import DC_WEIGHT, _best_moves
from framekeep.regions.rule import Region
from framekeep.regions.shrinking import digested, same_inside, shrink_around
from framekeep.variants import around

LIMITS = Limits(10_000_000, 1_000_000)


@st.composite
def pixels(draw: st.DrawFn):
    height, width, seed = draw(st.integers(1, 80)), draw(st.integers(1, 80)), draw(st.integers(0, 99))
    spread = draw(st.sampled_from((2, 60, 256)))
    return np.random.default_rng(seed).integers(0, spread, (height, width, 3), dtype=np.uint8)


@st.composite
def pictures(draw: st.DrawFn):
    """Every sampling, gray, progressive, with restart intervals."""
    image, quality = draw(pixels()), draw(st.integers(5, 100))
    kind = draw(st.sampled_from(("444", "422", "420", "440", "411", "gray", "progressive")))
    if kind.isdigit():
        return simplejpeg.encode_jpeg(image, quality, colorsubsampling=kind)
    file = io.BytesIO()
    restarts = draw(st.sampled_from((0, 1, 4)))
    shown = Image.fromarray(image).convert("L" if kind == "gray" else "RGB")
    shown.save(file, "JPEG", quality=quality, progressive=kind == "progressive", restart_marker_blocks=restarts)
    return file.getvalue()


@st.composite
def with_regions(draw: st.DrawFn):
    data = draw(pictures())
    width, height = Image.open(io.BytesIO(data)).size
    regions = []
    for _ in range(draw(st.integers(1, 3))):
        left, right = sorted(draw(st.tuples(st.integers(0, width), st.integers(0, width))))
        top, bottom = sorted(draw(st.tuples(st.integers(0, height), st.integers(0, height))))
        regions.append(Region("thing", 0.5, left, top, right, bottom))
    return data, tuple(regions)


@settings(max_examples=120)
@given(with_regions(), st.sampled_from((100, 50, 10)))
def test_exact_regions_have_the_same_pixels_in_two_decoders_and_the_same_coefficients(drawn, quality: int):
    data, regions = drawn
    shrunk = shrink_around(data, regions, Rung(quality, objects=EXACT), "4:2:0")
    original = understand(data, LIMITS)
    written = squeeze(around(original, shrunk, Rung(quality, objects=EXACT)).data)
    assert understand(written, LIMITS).mode == original.mode
    assert same_inside(decode(data), decode(written), regions)
    one, other = (simplejpeg.decode_jpeg(some, "RGB") for some in (data, written))
    for region in regions:
        inside = slice(region.top, region.bottom), slice(region.left, region.right)
        assert np.array_equal(one[inside], other[inside])
    assert digested(data, regions) == digested(written, regions) == shrunk.regions


@settings(max_examples=40)
@given(with_regions())
def test_objects_of_a_quality_of_their_own_do_not_depend_on_the_background(drawn):
    data, regions = drawn
    coarse, fine = (shrink_around(data, regions, Rung(quality, objects=60), "4:2:0") for quality in (10, 50))
    assert coarse.regions == fine.regions
    assert same_inside(decode(coarse.coding), decode(fine.coding), regions)


@settings(max_examples=150)
@given(
    st.lists(st.integers(-40, 40), min_size=1, max_size=5),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.floats(0.02, 0.5),
)
def test_the_chain_of_dcs_is_the_cheapest_of_all(chain: list[int], fixed: list[bool], step: float):
    moves = np.array([-6, -3, 0, 3, 6])
    chains, stays = np.array([chain]), np.array([fixed[: len(chain)]])
    chosen = moves[_best_moves(chains, stays, moves, step)[0]]
    assert not chosen[stays[0]].any()
    ways = np.array(np.meshgrid(*[[0] if stay else moves for stay in stays[0]])).reshape(len(chain), -1)
    costs = [_cost(chains[0], way, step) for way in ways.T]
    assert _cost(chains[0], chosen, step) == pytest.approx(min(costs))


def _cost(chain: np.ndarray, way: np.ndarray, step: float) -> float:
    """Error and bits of one way, as coarsening.py defines them."""
    symbols = [2.0, 2.5, 2.7, 3, 3.2, 3.5, 4.5, 6, 8]
    bits = [int(size).bit_length() for size in np.abs(np.diff(chain + way))]
    return float(((way * step) ** 2).sum() + DC_WEIGHT * sum(size + symbols[size] for size in bits))
