"""A model's transform: to the last bit what timm makes of a picture, whatever the model's numbers are."""

import numpy as np
import pytest
from PIL import Image
from timm.data.transforms_factory import create_transform

from framekeep.models.transform import Transform

PLAIN = {
    "input_size": (3, 224, 224),
    "interpolation": "bicubic",
    "mean": (0.5,) * 3,
    "std": (0.5,) * 3,
    "crop_pct": 0.875,
}
UNEVEN = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        UNEVEN,
        UNEVEN | {"input_size": (3, 96, 160), "interpolation": "bilinear"},
        UNEVEN | {"crop_mode": "squash", "crop_pct": 1.0},
        UNEVEN | {"crop_mode": "border", "crop_pct": 0.9},
    ],
)
@pytest.mark.parametrize("size", [(640, 480), (333, 517), (40, 31)])
def test_it_is_the_published_one_to_the_last_bit(numbers: dict[str, object], size: tuple[int, int]):
    chance = np.random.default_rng(4)
    picture = Image.fromarray(chance.integers(0, 256, (size[1], size[0], 3), np.uint8))
    configuration = PLAIN | numbers
    made = Transform(configuration)(picture)
    published = create_transform(**configuration, is_training=False)(picture).numpy()
    assert (made.dtype, made.shape) == (published.dtype, published.shape)
    np.testing.assert_array_equal(made, published)


def test_every_value_of_every_channel_is_the_published_one():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = Image.fromarray(np.stack([values, values.T, values[::-1]], axis=2))
    configuration = PLAIN | UNEVEN | {"input_size": (3, 16, 16), "crop_pct": 1.0}
    published = create_transform(**configuration, is_training=False)(picture).numpy()
    assert len(np.unique(published)) == 3 * 256
    np.testing.assert_array_equal(Transform(configuration)(picture), published)
