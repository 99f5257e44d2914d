"""What is protected, and what becomes of the rest."""

import io
from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageFilter

from framekeep.evidence import Detections
from framekeep.floor import Floor
from framekeep.jpeg.codec import decode, encode
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import EXACT, Rung, parse_ladder
from framekeep.regions.coarsening import _SYMBOL, ZIGZAG, _ac
from framekeep.regions.coefficients import ImpossibleError, standard_tables
from framekeep.regions.rule import OFF, Region, RegionRule, regions_in, regions_of, written
from framekeep.regions.shrinking import digested, shrink_around

FOUND = Detections(
    ("person", "car", "person"),
    np.array([0.9, 0.4, 0.3], np.float32),
    np.array([[10, 20, 30, 60], [0, 0, 100, 50], [5, 5, 9, 9]], np.float32),
)


def test_boxes_grow_by_their_margin_and_end_at_the_picture():
    regions = regions_in(FOUND, RegionRule(EXACT, regions_margin=0.1), (100, 62))
    assert [(region.label, region.box) for region in regions] == [("person", (8, 16, 32, 62)), ("car", (0, 0, 100, 55))]


def test_score_and_class_decide_what_is_protected():
    assert [r.label for r in regions_in(FOUND, RegionRule(EXACT, regions_classes=("car",)), (100, 62))] == ["car"]
    assert len(regions_in(FOUND, RegionRule(60, regions_min_score=0.3), (100, 62))) == 3
    assert regions_in(FOUND, OFF, (100, 62)) == regions_in(None, RegionRule(EXACT), (100, 62)) == ()


def test_regions_survive_the_ledger():
    regions = (Region('ein "Kraftrad"', 0.5, 1, 2, 3, 4, "ab"), Region("car", 0.25, 0, 0, 9, 9))
    assert regions_of(written(regions)) == regions


def test_rungs_below_the_objects_quality_are_pairs():
    paper = parse_ladder("paper")
    assert [rung.name for rung in RegionRule(80).pairs(paper).rungs][:5] == [
        "q100",
        "q90",
        "q80",
        "q80+q70",
        "q80+q60",
    ]
    assert {rung.objects for rung in RegionRule(EXACT).pairs(paper).rungs} == {EXACT}
    assert OFF.pairs(paper) == paper


def test_the_tables_are_the_standards():
    luma, chroma = standard_tables(50)
    assert luma[0].tolist() == [16, 11, 10, 16, 24, 40, 51, 61]
    assert luma[:, 0].tolist() == [16, 12, 14, 14, 18, 24, 49, 72]
    assert chroma[0].tolist() == [17, 18, 24, 47, 99, 99, 99, 99]


def test_the_zigzag_is_the_standards():
    assert ZIGZAG[:10].tolist() == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]
    assert sorted(ZIGZAG) == list(range(64))


def natural() -> Image.Image:
    """A picture with edges, slopes and grain, somewhat like a photograph's."""
    random = np.random.default_rng(1)
    coarse = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize(
        (512, 384), Image.Resampling.BICUBIC
    )
    edges = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(
        (512, 384), Image.Resampling.NEAREST
    )
    mixed = Image.blend(coarse, edges, 0.4).filter(ImageFilter.GaussianBlur(0.7))
    grain = random.normal(0, 4, (384, 512, 1))
    return Image.fromarray((np.asarray(mixed) + grain).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("quality", [10, 30])
def test_a_background_looks_like_the_whole_frame_at_its_quality(quality: int):
    delivered = encode(natural(), Rung(92), "4:2:0")
    whole = encode(decode(delivered), Rung(quality), "4:2:0")
    background = shrink_around(delivered, (), Rung(quality, objects=EXACT), "4:2:0").coding
    assert Floor.of(decode(delivered), quality, "4:2:0").holds(background)
    assert len(squeeze(whole)) < len(squeeze(background)) < 0.5 * len(squeeze(delivered))


def test_colours_that_are_not_ycbcr_cannot_be_done():
    file = io.BytesIO()
    natural().save(file, "JPEG", quality=90, keep_rgb=True)
    with pytest.raises(ImpossibleError, match="not coded as YCbCr"):
        shrink_around(file.getvalue(), (Region("car", 0.5, 0, 0, 9, 9),), Rung(10, objects=EXACT), "4:2:0")


def test_another_coefficient_is_another_digest():
    region = (Region("car", 0.5, 100, 100, 140, 130),)
    delivered = encode(natural(), Rung(90), "4:2:0")
    (kept,) = shrink_around(delivered, region, Rung(10, objects=EXACT), "4:2:0").regions
    (lost,) = digested(shrink_around(delivered, (), Rung(10, objects=EXACT), "4:2:0").coding, region)
    assert kept.digest != lost.digest
    assert len(kept.digest) == 32


def test_the_coefficients_of_a_block_are_the_cheapest_of_all():
    random = np.random.default_rng(3)
    steps = np.full((1, 64), 0.3)
    for _ in range(60):
        block = np.zeros((1, 64), np.int32)
        block[0, random.choice(np.arange(1, 64), 3, replace=False)] = random.integers(-40, 41, 3)
        ways = [_cost(block[0], way, 0.3) for way in product(*(_choices(int(value)) for value in block[0]))]
        assert _cost(block[0], _ac(block, steps)[0], 0.3) == pytest.approx(min(ways))


def _choices(value: int) -> set[int]:
    size, sign = abs(value), 1 if value > 0 else -1
    bits = size.bit_length()
    return {0, value, *(sign * ((1 << (bits - fewer)) - 1) for fewer in (1, 2, 3) if bits - fewer > 0)}


def _cost(block: np.ndarray, way: np.ndarray | tuple[int, ...], step: float) -> float:
    """Error and bits of one way, as coarsening.py defines them."""
    error = float((((block - np.array(way)) * step) ** 2).sum())
    bits, zeros = 0.0, 0
    for value in way[1:]:
        if value == 0:
            zeros += 1
            continue
        size = abs(int(value)).bit_length()
        bits += zeros % 16 + (0.6 if zeros else 0.0) + 11 * (zeros // 16) + size + _SYMBOL[size]
        zeros = 0
    if any(way[1:]) and zeros:
        bits += 3.0
    return error + bits
