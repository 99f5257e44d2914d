"""In which order a picture's variants are looked at, and which never are."""

import io
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from framekeep.jpeg.codec import decode, encode
from framekeep.jpeg.source import Limits, understand
from framekeep.ladder import PLAIN, Rung, parse_ladder
from framekeep.order import Order, Subject, limited, order_of
from framekeep.reasons import Reason
from framekeep.variants import Encoder, Variant, climb

BEST = parse_ladder("best")
HOW = Encoder("4:2:0", progressive=True)


def subject(size: tuple[int, int] = (160, 120), quality: int = 92, mode: str = "RGB") -> Subject:
    """Something that compresses as a photograph does: detail of every size, the coarser the stronger."""
    rng = np.random.default_rng(sum(size))
    pixels = np.full((size[1], size[0], 3), 128.0)
    for step in (1, 2, 4, 8, 16, 32):
        coarse = rng.integers(0, 256, (size[1] // step + 1, size[0] // step + 1, 3), dtype=np.uint8)
        pixels += (np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)) - 128.0) * step / 48
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).convert(mode).save(file, "JPEG", quality=quality)
    original = understand(file.getvalue(), Limits(10**7, 10**7))
    return Subject(original, decode(original.data), HOW)


def climbed(order: Order) -> list[Variant]:
    """Smallest first."""
    variants = (order.variant(j) for j in range(len(order), 0, -1))
    return [variant for variant in variants if variant]


@cache
def of_best(floor: int) -> tuple[Subject, list[Variant]]:
    one = subject()
    return one, climbed(order_of(one, BEST.above(floor), floor))


def similarity(one: Image.Image, other: Image.Image, **how: object) -> float:
    return structural_similarity(*(np.asarray(part.convert("L")) for part in (one, other)), data_range=255, **how)


@pytest.mark.parametrize("floor", [10, 40])
@pytest.mark.parametrize("how", [{}, {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}])
def test_nothing_looks_worse_than_the_floor(floor: int, how: dict[str, object]):
    one, variants = of_best(floor)
    bound = similarity(one.image, decode(encode(one.image, Rung(floor), "4:2:0")), **how)
    others = [variant for variant in variants if variant.rung.encoder != PLAIN]
    assert {variant.rung.encoder for variant in others} == {"m0", "m3", "m5", "m8"}
    assert all(similarity(one.image, decode(variant.data), **how) >= bound - 1e-6 for variant in variants)
    assert min(variant.rung.quality for variant in variants if variant.rung.encoder == PLAIN) == floor


def test_without_a_floor_there_are_worse_ones():
    """So that the test above has something to find."""
    one, variants = of_best(0)
    bound = similarity(one.image, decode(encode(one.image, Rung(10), "4:2:0")))
    assert any(similarity(one.image, decode(variant.data)) < bound for variant in variants)


def test_over_a_plain_background_a_higher_quality_that_looks_worse_is_left_out():
    """The likeness falls there as blocks jump from one level to the next."""
    one = backdrop()
    bound = similarity(one.image, decode(encode(one.image, Rung(10), "4:2:0")))
    every = [climb(one.original, one.image, rung, HOW) for rung in BEST.rungs if rung.quality in range(10, 31)]
    worse = {variant.rung for variant in every if similarity(one.image, decode(variant.data)) < bound - 1e-6}
    assert {rung.encoder for rung in worse} > {PLAIN}
    assert not worse & {variant.rung for variant in climbed(order_of(one, BEST, 10))}


def backdrop() -> Subject:
    """Something before a dark background, whose level QF 10 happens to keep better than QF 12 and 16 do."""
    plane = np.full((96, 128), 6.0)
    plane[30:60, 40:90] += np.random.default_rng(2).normal(120, 30, (30, 50))
    file = io.BytesIO()
    Image.fromarray(plane.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=95)
    original = understand(file.getvalue(), Limits(10**7, 10**7))
    return Subject(original, decode(original.data), HOW)


def test_sizes_rise_as_far_as_each_encoder_s_do_and_none_reaches_the_original_s():
    one, variants = of_best(10)
    fallen = [pair for pair in pairwise(variants) if len(pair[0].data) > len(pair[1].data)]
    assert all(before.rung.encoder == after.rung.encoder for before, after in fallen)
    assert len(fallen) < len(variants) / 10
    assert max(len(variant.data) for variant in variants) < len(one.original.data)
    assert len({variant.rung for variant in variants}) == len(variants) < len(BEST)


def test_mixed_encoders_alternate():
    encoders = [variant.rung.encoder for variant in of_best(10)[1]]
    assert sum(one != other for one, other in pairwise(encoders)) > 20


def test_a_variant_can_be_had_again_and_only_what_is_asked_for_is_made():
    one, variants = of_best(10)
    order = order_of(one, BEST, 10)
    n = len(order)
    assert order.smallest is None
    assert order.variant(n - 3) == variants[3]
    assert [order.variant(j) for j in (n, n - 2, n - 4)] == [variants[0], variants[2], variants[4]]
    assert order.smallest == variants[0].rung
    assert len(order._reached) == 5  # type: ignore[attr-defined]  # of a mixed ladder


def test_a_ladder_of_one_encoder_is_in_order_as_it_is():
    one, ladder = subject(), parse_ladder("90,50,10")
    order = order_of(one, ladder, 0)
    assert [order.variant(j) for j in (1, 2, 3)] == [climb(one.original, one.image, r, HOW) for r in ladder.rungs]
    assert order.smallest == Rung(10)
    assert order_of(subject(quality=60), ladder, 0).variant(1) is None  # no smaller than the original


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_too_small_to_compare_has_plain_variants_only(mode: str):
    rungs = [variant.rung for variant in climbed(order_of(subject((60, 10), 95, mode), BEST, 10))]
    assert rungs
    assert {rung.encoder for rung in rungs} == {PLAIN}


def test_a_least_quality_for_objects_raises_the_floor_and_is_told():
    one = subject()
    order = order_of(one, BEST, 40)
    smallest, second = (order.variant(len(order) - step) for step in (0, 1))
    assert smallest is not None
    assert second is not None
    assert limited(smallest, order, BEST).reason is Reason.OBJECTS_FOUND
    assert limited(second, order, BEST).reason is Reason.QUALIFIED
    free = order_of(one, BEST, 10)
    least = free.variant(len(free))
    assert least is not None
    assert limited(least, free, BEST).reason is Reason.QUALIFIED
