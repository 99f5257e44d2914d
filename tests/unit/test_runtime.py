"""What computes a classifier: another runtime only where it agrees with eager PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from framekeep.models import runtime
from framekeep.models.normalising import Normalising
from framekeep.models.runtime import TOLERANCE, Eager, agree, fastest

SIZE = (8, 8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "framekeep" / "networks"


def network(*extra: torch.nn.Module) -> Eager:
    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), *extra, torch.nn.Flatten(), torch.nn.Linear(144, 5)).eval()
    return Eager.on(torch.device("cpu"), Normalising(module, (0.5,) * 3, (0.2, 0.3, 0.4)))


@dataclass
class Off:
    """A runtime that is off by so much: in every picture, or only where pictures come alone."""

    eager: Eager
    by: float
    only_alone: bool = False
    name: str = "off"

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        is_off = len(pixels) == 1 or not self.only_alone
        return self.eager(pixels) + (self.by if is_off else 0)


def test_openvino_computes_where_it_agrees():
    eager = network()
    chosen = fastest(eager, SIZE, "a digest")
    assert chosen.name == "openvino"
    pixels = np.random.default_rng(2).integers(0, 256, (3, *SIZE, 3), np.uint8)
    np.testing.assert_allclose(chosen(pixels), eager(pixels), atol=TOLERANCE)


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each conversion."""
    done: list[str] = []

    def counted(module: Normalising, size: tuple[int, int]):
        done.append(type(module.network).__name__)
        return convert(module, size)

    convert = runtime._converted
    monkeypatch.setattr(runtime, "_converted", counted)
    return done


def test_a_network_is_converted_once(conversions: list[str], cache: Path):
    first, second = (fastest(network(), SIZE, "a digest") for _ in range(2))
    pixels = np.random.default_rng(2).integers(0, 256, (3, *SIZE, 3), np.uint8)
    np.testing.assert_allclose(second(pixels), first(pixels), atol=TOLERANCE / 10)
    assert len(conversions) == 1
    assert len(list(cache.iterdir())) == 1


def test_other_weights_are_another_network(conversions: list[str]):
    for digest in ("one", "another"):
        assert fastest(network(), SIZE, digest).name == "openvino"
    assert len(conversions) == 2


def spoil(kept: Path):
    (kept / "network.bin").write_bytes(bytes((kept / "network.bin").stat().st_size))


def cut(kept: Path):
    (kept / "network.xml").write_text("<net")


def open_to_others(kept: Path):
    kept.parent.chmod(0o777)


@pytest.mark.parametrize("deed", [spoil, cut, open_to_others])
def test_what_cannot_be_trusted_is_converted_again(deed: Callable[[Path], None], conversions: list[str], cache: Path):
    fastest(network(), SIZE, "a digest")
    deed(next(cache.iterdir()))
    eager = network()
    again = fastest(eager, SIZE, "a digest")
    assert len(conversions) == 2
    pixels = np.random.default_rng(2).integers(0, 256, (3, *SIZE, 3), np.uint8)
    np.testing.assert_allclose(again(pixels), eager(pixels), atol=TOLERANCE)


def test_where_nothing_can_be_kept_all_else_goes_on(cache: Path):
    cache.parent.write_bytes(b"no folder")
    assert fastest(network(), SIZE, "a digest").name == "openvino"


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
    assert fastest(eager, SIZE, "a digest") is eager


def test_where_openvino_is_missing_pytorch_computes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("framekeep.models.runtime.find_spec", lambda _name: None)
    eager = network()
    assert fastest(eager, SIZE, "a digest") is eager
