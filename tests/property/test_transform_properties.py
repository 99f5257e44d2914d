"""A classifier's transform makes the very pixels that timm's makes, whichever way it takes."""

from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from timm.data.transforms_factory import create_transform

from framekeep.models import transform
from framekeep.models.scaling import scaled
from framekeep.models.transform import evaluation_transform

CONFIGURATION: dict[str, Any] = {
    "input_size": (3, 224, 224),
    "interpolation": "bicubic",
    "crop_pct": 0.875,
    "crop_mode": "center",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
}
SIDES = st.integers(1, 700)
TALL = st.floats(0.4, 3)
CAMERAS = ((640, 480), (480, 640), (1280, 720), (1920, 1080), (704, 576), (100, 80), (256, 256), (2592, 1944))


@pytest.fixture(scope="module", autouse=True)
def tried():
    transform._trial(evaluation_transform(CONFIGURATION)).result()


def noise(size: tuple[int, int], seed: int = 1) -> Image.Image:
    return Image.frombytes("RGB", size, np.random.default_rng(seed).bytes(3 * size[0] * size[1]))


def by_timm(image: Image.Image, **given: Any) -> np.ndarray:
    pixels = create_transform(**(CONFIGURATION | given), is_training=False, normalize=False)(image)
    return pixels.permute(1, 2, 0).numpy()


@given(width=SIDES, height=SIDES, seed=st.integers(0, 9))
def test_every_size_is_transformed_as_timm_does_it(width: int, height: int, seed: int):
    image = noise((width, height), seed)
    np.testing.assert_array_equal(evaluation_transform(CONFIGURATION)(image), by_timm(image))


@given(width=st.integers(100, 500), tall=TALL)
def test_upright_pictures_are_transformed_as_timm_does_it(width: int, tall: float):
    image = noise((width, int(width * tall)))
    np.testing.assert_array_equal(evaluation_transform(CONFIGURATION)(image), by_timm(image))


@given(width=SIDES, height=SIDES, left=st.integers(0, 99), upper=st.integers(0, 99), side=st.integers(1, 100))
def test_what_is_scaled_is_what_pillow_makes_in_two_steps(width: int, height: int, left: int, upper: int, side: int):
    """First across, then down: Pillow 13 itself takes the other order where that is less work."""
    image, box = noise((width, height)), (left, upper, left + side, upper + side)
    across = image.resize((200, height), Image.Resampling.BICUBIC)
    expected = across.resize((200, 200), Image.Resampling.BICUBIC).crop(box)
    np.testing.assert_array_equal(scaled(image, (200, 200), box), np.asarray(expected))


@pytest.mark.parametrize("size", CAMERAS, ids=str)
@pytest.mark.parametrize("contrast", [1, 255], ids=["noise", "black and white"])
def test_the_pictures_of_cameras_go_the_faster_way(size: tuple[int, int], contrast: int):
    fast = evaluation_transform(CONFIGURATION)
    assert isinstance(fast, transform._ScaledAndCropped)
    assert fast.is_exact()
    image = noise(size).point(lambda value: value if contrast == 1 else contrast * (value > 127))
    np.testing.assert_array_equal(fast._fast(image), by_timm(image))


@pytest.mark.parametrize(
    "other",
    [
        {"crop_mode": "squash"},
        {"crop_mode": "border"},
        {"interpolation": "bilinear"},
        {"input_size": (3, 224, 288)},
        {"crop_pct": 1.0},
    ],
    ids=str,
)
def test_other_transforms_are_timm_s(other: dict[str, Any]):
    image = noise((500, 375))
    np.testing.assert_array_equal(evaluation_transform(CONFIGURATION | other)(image), by_timm(image, **other))


@pytest.fixture
def new_trial():
    """A self-test of its own, as at a start."""
    transform._trial.cache_clear()
    yield
    transform._trial.cache_clear()


def test_where_the_faster_way_differs_pillow_scales(monkeypatch: pytest.MonkeyPatch, new_trial: None):
    monkeypatch.setattr(transform, "scaled", lambda *given: scaled(*given) ^ 1)
    mine, image = evaluation_transform(CONFIGURATION), noise((321, 241))
    assert transform._trial(mine).result() is False
    np.testing.assert_array_equal(mine(image), by_timm(image))


def test_where_numba_does_not_work_pillow_scales(monkeypatch: pytest.MonkeyPatch, new_trial: None):
    def fail() -> None:
        raise ImportError("no numba")

    monkeypatch.setattr("framekeep.models.scaling._compiled", fail)
    mine, image = evaluation_transform(CONFIGURATION), noise((322, 242))
    assert transform._trial(mine).result() is False
    np.testing.assert_array_equal(mine(image), by_timm(image))


def test_what_is_not_compiled_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch):
    unfinished: Future[bool] = Future()
    monkeypatch.setattr(transform, "_trial", lambda _: unfinished)
    image = noise((323, 243))
    np.testing.assert_array_equal(evaluation_transform(CONFIGURATION)(image), by_timm(image))
