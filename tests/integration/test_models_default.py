"""The default model, really loaded, on pictures that the tests draw."""

import time
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image, ImageDraw
from timm.data.imagenet_info import ImageNetInfo
from timm.data.transforms_factory import create_transform

from framekeep.evidence import Evidence
from framekeep.models.base import Prepared, timed_look
from framekeep.models.catalogue import PACKAGED, ModelChoice
from framekeep.models.classifier import Classifier, open_classifier
from framekeep.models.weights import find_weights
from framekeep.reasons import Kept, Reason

NAME = "tf_efficientnet_lite0"
IMAGES = Path(__file__).parents[2] / ".." / "shared" / "images"


def drawn(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Ellipses and boxes over noise: no two look alike to a network."""
    chance = np.random.default_rng(seed)
    picture = Image.fromarray(chance.integers(0, 80, (size[1], size[0], 3), dtype=np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y, w, h = (int(v) for v in chance.integers(5, 160, 4))
        shape = draw.ellipse if chance.random() < 0.5 else draw.rectangle
        shape((x, y, x + w, y + h), fill=tuple(int(v) for v in chance.integers(0, 256, 3)))
    return picture


def probabilities(seen: list[Evidence]) -> np.ndarray:
    return np.stack([evidence.prediction.probabilities for evidence in seen if evidence.prediction])


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return open_classifier(ModelChoice(NAME), "cpu", batch=5)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [drawn(seed) for seed in range(5)]


def test_the_record_says_what_looked(classifier: Classifier) -> None:
    assert (classifier.name, classifier.device) == (NAME, "cpu (openvino)")
    assert classifier.digest == PACKAGED[NAME].sha256


def test_class_names_are_short_and_unique(classifier: Classifier) -> None:
    names = list(classifier.class_names)
    assert (names[0], names[134], names[517], names[999]) == (
        "tench",
        "crane (n02012849)",
        "crane (n03126707)",
        "toilet tissue",
    )
    assert len(set(names)) == 1000


def test_the_transform_is_the_published_one(classifier: Classifier, pictures: list[Image.Image]) -> None:
    published = create_transform(224, interpolation="bicubic", crop_pct=0.875, mean=(0.5,) * 3, std=(0.5,) * 3)
    prepared = classifier.prepare(pictures[0])
    assert prepared.shape == (224, 224, 3)
    assert prepared.dtype == np.uint8
    expected = torch.stack([published(picture) for picture in pictures])
    np.testing.assert_array_equal(
        classifier.normalised([classifier.prepare(picture) for picture in pictures]).numpy(), expected.numpy()
    )


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_every_mode_is_looked_at_as_rgb(classifier: Classifier, mode: str) -> None:
    picture = drawn(9).convert(mode)
    np.testing.assert_array_equal(classifier.prepare(picture), classifier.prepare(picture.convert("RGB")))


@pytest.mark.parametrize("size", [(1, 1), (1, 100), (300, 3)])
def test_pictures_of_extreme_shape_have_a_label(classifier: Classifier, size: tuple[int, int]) -> None:
    found = probabilities(classifier.look([classifier.prepare(Image.new("RGB", size, (90, 120, 30)))]))
    assert found.sum() == pytest.approx(1, abs=1e-5)


def test_a_line_of_pixels_is_kept_before_it_fills_the_memory(classifier: Classifier) -> None:
    with pytest.raises(Kept) as kept:
        classifier.prepare(Image.new("L", (65500, 1)))
    assert (kept.value.reason, "65500 by 1" in kept.value.note) == (Reason.UNUSUAL, True)


def test_eager_contiguous_pytorch_agrees(classifier: Classifier, pictures: list[Image.Image]) -> None:
    """Log-probabilities are the logits but for a constant, so that a difference of 1e-4 is one of the logits."""
    module = timm.create_model(NAME).eval()
    tensors = torch.load(find_weights(ModelChoice(NAME)).path, weights_only=True)
    module.load_state_dict(dict(zip(module.state_dict(), tensors.values(), strict=True)))
    prepared = [classifier.prepare(picture) for picture in pictures]
    with torch.inference_mode():
        reference = torch.cat([module(one[None]) for one in classifier.normalised(prepared)]).log_softmax(1).numpy()
    found = probabilities(classifier.look(prepared))
    np.testing.assert_allclose(np.log(found), reference, atol=1e-4)
    np.testing.assert_allclose(found, np.exp(reference), atol=1e-5)


def test_the_batch_does_not_matter(classifier: Classifier, pictures: list[Image.Image]) -> None:
    prepared = [classifier.prepare(picture) for picture in pictures]
    alone = probabilities([seen for pixels in prepared for seen in classifier.look([pixels])])
    together = probabilities(classifier.look(prepared))
    assert len(np.unique(together, axis=0)) == 5
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_two_looks_are_equal_bit_by_bit(classifier: Classifier, pictures: list[Image.Image]) -> None:
    prepared = [classifier.prepare(picture) for picture in pictures]
    np.testing.assert_array_equal(probabilities(classifier.look(prepared)), probabilities(classifier.look(prepared)))


def test_a_look_can_be_timed(classifier: Classifier) -> None:
    assert 0 < timed_look(classifier, time.perf_counter) < 30


@pytest.mark.camera
@pytest.mark.skipif(not IMAGES.is_dir(), reason="the measuring pictures are not beside the checkout")
def test_the_accuracy_shows_a_whole_transform(classifier: Classifier) -> None:
    """All 300 give 86.7% top-1 and 98.0% top-5, as does an independent computation."""
    info = ImageNetInfo()
    index = {info.index_to_label_name(k): k for k in range(1000)}
    paths = sorted(IMAGES.glob("*.JPEG"))[::4]
    seen = classifier.look([prepared_file(classifier, path) for path in paths])
    labels = [index[path.name.split("_")[0]] for path in paths]
    ranks = np.array(
        [evidence.prediction.rank(k) for evidence, k in zip(seen, labels, strict=True) if evidence.prediction]
    )
    assert (ranks == 1).mean() > 0.82
    assert (ranks <= 5).mean() > 0.95


def prepared_file(classifier: Classifier, path: Path) -> Prepared:
    with Image.open(path) as picture:
        return classifier.prepare(picture)
