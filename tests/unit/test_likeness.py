"""The likeness of two pictures, against scikit-image's."""

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from framekeep.likeness import GAUSSIAN, UNIFORM, Window, likeness

THEIRS = {
    UNIFORM: {},
    GAUSSIAN: {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
}


@pytest.mark.parametrize("window", THEIRS, ids=["uniform", "gaussian"])
@pytest.mark.parametrize("shape", [(11, 12), (266, 40), (267, 40), (700, 90)])  # one band, just two, and more
@pytest.mark.parametrize("spread", [2, 60])
def test_it_is_scikit_image_s(window: Window, shape: tuple[int, int], spread: int):
    rng = np.random.default_rng(3)
    one = np.clip(np.linspace(0, 255, shape[1]) + rng.normal(0, 20, shape), 0, 255).astype(np.uint8)
    other = np.clip(one + rng.normal(0, spread, shape), 0, 255).astype(np.uint8)
    expected = structural_similarity(one, other, data_range=255, **THEIRS[window])
    assert likeness(one, other, window) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("window", THEIRS, ids=["uniform", "gaussian"])
def test_a_picture_is_like_itself_and_a_tiny_one_cannot_be_compared(window: Window):
    picture = np.random.default_rng(1).integers(0, 256, (30, 30), dtype=np.uint8)
    assert likeness(picture, picture, window) == pytest.approx(1)
    tiny = picture[: 2 * window.radius]
    assert math.isnan(likeness(tiny, tiny, window))
