"""What computes a classifier: another runtime only where it agrees with eager PyTorch."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from framekeep.models.runtime import TOLERANCE, Eager, agree, fastest

SIZE = (3, 8, 8)


def network(*extra: torch.nn.Module) -> Eager:
    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), *extra, torch.nn.Flatten(), torch.nn.Linear(144, 5)).eval()
    return Eager.on(torch.device("cpu"), module)


@dataclass
class Off:
    """A runtime that is off by so much: in every picture, or only where pictures come alone."""

    eager: Eager
    by: float
    only_alone: bool = False
    name: str = "off"

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        is_off = len(pixels) == 1 or not self.only_alone
        return self.eager(pixels) + (self.by if is_off else 0)


def test_openvino_computes_where_it_agrees():
    eager = network()
    runtime = fastest(eager, SIZE)
    assert runtime.name == "openvino"
    pixels = np.random.default_rng(2).normal(size=(3, *SIZE)).astype(np.float32)
    np.testing.assert_allclose(runtime(pixels), eager(pixels), atol=TOLERANCE)


@pytest.mark.parametrize(
    ("off", "expected"),
    [({"by": TOLERANCE / 2}, True), ({"by": TOLERANCE * 2}, False), ({"by": 1.0, "only_alone": True}, False)],
)
def test_a_runtime_that_is_off_does_not_agree(off: dict[str, float], expected: bool):
    eager = network()
    assert agree(eager, Off(eager, **off), SIZE) is expected


def test_a_runtime_that_answers_nonsense_does_not_agree():
    eager = network()
    assert not agree(eager, Off(eager, float("nan")), SIZE)


class Odd(torch.nn.Module):
    """Computes what cannot be traced."""

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return given * len([value for value in given.flatten().tolist() if value > 0]) / 100


def test_what_openvino_cannot_follow_is_computed_by_pytorch():
    eager = network(Odd())
    assert fastest(eager, SIZE) is eager


def test_where_openvino_is_missing_pytorch_computes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("framekeep.models.runtime.find_spec", lambda _name: None)
    eager = network()
    assert fastest(eager, SIZE) is eager
