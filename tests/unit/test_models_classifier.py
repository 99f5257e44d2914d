"""The classifier around a network that is none: memory, answers that are no numbers, devices."""

from typing import Self

import numpy as np
import pytest
import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from framekeep.errors import ModelUnavailableError, StuckError
from framekeep.models.base import Prepared
from framekeep.models.classifier import Classifier
from framekeep.models.device import forbid_reduced_precision, pick_device
from framekeep.models.network import Network


class BrightestChannel(torch.nn.Module):
    """Logits are the means of the three channels; has room for so many pictures, as a GPU does."""

    num_classes = 3

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.seen: list[int] = []

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(pixels))
        if len(pixels) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return pixels.mean(dim=(2, 3))


def classifier(module: BrightestChannel, batch: int) -> Classifier:
    return Classifier(Network("brightest", module, "0" * 64, ("red", "green", "blue")), torch.device("cpu"), batch)


def bright(channel: int, value: int = 255) -> Prepared:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[..., channel] = value
    return pixels


@pytest.fixture(autouse=True)
def pytorch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """These networks do in Python what no other runtime would."""
    monkeypatch.setattr("framekeep.models.runtime.find_spec", lambda _name: None)


def test_out_of_memory_halves_the_batch_for_good() -> None:
    module = BrightestChannel(room=3)
    model = classifier(module, batch=8)
    for _ in range(2):
        seen = model.look([bright(k % 3) for k in range(8)])
        assert [int(evidence.prediction.order[0]) for evidence in seen if evidence.prediction] == [
            0,
            1,
            2,
            0,
            1,
            2,
            0,
            1,
        ]
    assert module.seen == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]


def test_no_room_for_a_single_picture_is_told() -> None:
    with pytest.raises(ModelUnavailableError, match="no room for brightest and one picture"):
        classifier(BrightestChannel(room=0), batch=8).look([bright(0), bright(1)])


def test_no_room_for_the_network_itself_is_told() -> None:
    class Huge(BrightestChannel):
        def _apply(self, *_: object, **__: object) -> Self:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ModelUnavailableError, match="no room"):
        classifier(Huge(room=1), batch=8)


@pytest.mark.parametrize("kind", [torch.AcceleratorError, RuntimeError])
def test_a_gpu_that_fails_once_answers_nothing_more_and_is_told(kind: type[Exception]) -> None:
    class Broken(BrightestChannel):
        def forward(self, _pixels: torch.Tensor) -> torch.Tensor:
            raise kind("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be ...")

    with pytest.raises(StuckError, match=r"\(CUDA error: an illegal memory access was encountered\)"):
        classifier(Broken(room=8), batch=8).look([bright(0)])


def test_another_failure_is_the_pictures() -> None:
    class Picky(BrightestChannel):
        def forward(self, _pixels: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("The size of tensor a must match the size of tensor b")

    with pytest.raises(RuntimeError, match="size of tensor"):
        classifier(Picky(room=8), batch=8).look([bright(0)])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_not_finite_is_no_label(value: float) -> None:
    class Dazzled(BrightestChannel):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return super().forward(pixels) + torch.tensor([0, 0, value])

    with pytest.raises(FloatingPointError, match="brightest"):
        classifier(Dazzled(room=8), batch=8).look([bright(0), bright(1)])


def test_probabilities_are_the_softmax_in_float32() -> None:
    [evidence] = classifier(BrightestChannel(room=8), batch=8).look([bright(1, 204)])
    assert evidence.prediction is not None
    assert evidence.prediction.probabilities.dtype == np.float32
    exponentials = np.exp((np.array([0, 0.8, 0]) - IMAGENET_DEFAULT_MEAN) / IMAGENET_DEFAULT_STD)
    np.testing.assert_allclose(evidence.prediction.probabilities, exponentials / exponentials.sum(), rtol=1e-5)


def test_nothing_to_look_at_gives_nothing() -> None:
    assert classifier(BrightestChannel(room=8), batch=8).look([]) == []


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA GPU")
@pytest.mark.parametrize("wish", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_told(wish: str) -> None:
    with pytest.raises(ModelUnavailableError, match="sees 0 CUDA GPUs"):
        pick_device(wish)


@pytest.mark.parametrize("wish", ["cuda:99", "gpu", "meta", "cuda:x", ""])
def test_a_device_that_cannot_be_is_told(wish: str) -> None:
    with pytest.raises(ModelUnavailableError, match=f'device = "{wish}"'):
        pick_device(wish)


def test_tf32_is_off_for_products_and_convolutions() -> None:
    forbid_reduced_precision()
    conv = torch.backends.cudnn.conv  # type: ignore[attr-defined]  # made at run time
    assert conv.fp32_precision == "ieee"  # PyTorch's own default is tf32
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"
