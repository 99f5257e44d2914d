"""When a camera's file may be squeezed to less than what was chosen."""

import io
from pathlib import Path

import pytest
from PIL import Image

from framekeep.jpeg.metadata import carry
from framekeep.jpeg.source import Limits, understand
from framekeep.jpeg.squeeze import squeeze
from framekeep.reasons import Reason
from framekeep.variants import Written, worth_squeezing

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "coffee.jpg"


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("light", [1, 0.3, 0.08, 0.02])
@pytest.mark.parametrize("quality", [5, 10, 20, 30, 50, 70, 90, 97])
def test_a_choice_that_the_squeezed_original_may_undercut_asks_for_it(quality: int, light: float, subsampling: str):
    """By day and by night: a dark picture of a camera with fixed Huffman tables is squeezed to a fifth of its bytes."""
    with Image.open(PICTURE) as opened:
        picture = opened.convert("RGB").point(lambda value: int(value * light))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    original = understand(file.getvalue(), Limits(10**8, 10**8))
    squeezed = carry(squeeze(original.data), original, same_coding=True)
    assert worth_squeezing(original, Written(squeezed, None, Reason.QUALIFIED))


def test_a_choice_that_is_smaller_than_any_squeezing_asks_for_nothing():
    original = understand(PICTURE.read_bytes(), Limits(10**8, 10**8))
    assert not worth_squeezing(original, Written(bytes(len(original.data) // 3), None, Reason.QUALIFIED))
