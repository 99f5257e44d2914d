"""What computes a classifier's network: eager PyTorch, or on a CPU OpenVINO, where that agrees with it.

Eager PyTorch in fp32 is what the model of record means. Another runtime may stand for it if its logits are the same to
within TOLERANCE on a self-test at every start; OpenVINO, asked for fp32, is faster on a CPU.
"""

import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from framekeep.models.compiling import compiled
from framekeep.models.converted import keep, kept_at, read_kept
from framekeep.models.normalising import Normalising

TOLERANCE: Final = 1e-4
"""Of a logit. Rounding alone differs by 2e-5; in bf16, which OpenVINO may choose by itself, by 0.7."""
_PICTURES: Final = 5
_A_CORE: Final = 2
"""Pictures that OpenVINO computes at once, for each core: more are no faster, and take more memory."""
_FP32: Final = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False}
"""Not pinned: the codec's threads and other programs work on the same cores, and a look would wait for the slowest."""


class Runtime(Protocol):
    """`name` is empty for eager PyTorch."""

    @property
    def name(self) -> str: ...

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """From pictures (batch, height, width, 3) to logits (batch, classes)."""


@dataclass(frozen=True)
class Eager:
    """PyTorch itself. In channels_last, as pixels come, it is still eager fp32, and much faster on a CPU."""

    module: Normalising
    place: torch.device
    name: str = ""

    @classmethod
    def on(cls, place: torch.device, module: Normalising) -> "Eager":
        return cls(module.eval().to(place).to(memory_format=torch.channels_last), place)

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = self.module(torch.from_numpy(pixels).to(self.place)).float().cpu().numpy()
        return logits


@dataclass(frozen=True)
class Compiled:
    """OpenVINO on the CPU, in fp32."""

    network: Any
    name: str = "openvino"

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        at_once = _A_CORE * len(os.sched_getaffinity(0))
        parts = (pixels[k : k + at_once] for k in range(0, len(pixels), at_once))
        return np.concatenate([self.network(part)[0].copy() for part in parts])


def fastest(eager: Eager, size: tuple[int, int], what: str) -> Runtime:
    """The fastest that agrees with eager PyTorch: that itself on a GPU, and where OpenVINO is not installed.

    size: height and width of the pictures. what: tells the weights and the transform from all others.
    """
    if eager.place.type != "cpu" or find_spec("openvino") is None:
        return eager
    name = f"{type(eager.module.network).__name__} {what}"
    with suppress(Exception):  # whatever is wrong with what was kept, it can be converted anew
        model = read_kept(kept_at(name))
        if model is not None and agree(eager, kept := Compiled(compiled(model, _FP32)), size):
            return kept
    try:
        model = _converted(eager.module, size)
        if not agree(eager, anew := Compiled(compiled(model, _FP32)), size):
            return eager
    except Exception:  # noqa: BLE001 - whatever OpenVINO cannot do with a network, PyTorch can
        return eager
    with suppress(Exception):  # nothing depends on it
        keep(model, kept_at(name))
    return anew


def agree(eager: Runtime, other: Runtime, size: tuple[int, int]) -> bool:
    """The self-test: pictures of noise, of one colour and of a ramp, together and alone."""
    chance = np.random.default_rng(1)
    pictures = chance.integers(0, 256, (_PICTURES, *size, 3), np.uint8)
    pictures[0], pictures[1] = 0, np.linspace(0, 255, size[1])[:, None]
    expected = eager(pictures)
    batches = (other(pictures), np.concatenate([other(pictures[k : k + 1]) for k in range(_PICTURES)]))
    return all(bool(np.abs(found - expected).max() <= TOLERANCE) for found in batches)


def _converted(module: Normalising, size: tuple[int, int]) -> Any:  # noqa: ANN401 - OpenVINO tells no types
    import openvino  # noqa: PLC0415 - only where it is wanted

    example = torch.zeros(1, *size, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer PyTorch deprecates tracing, which is what OpenVINO follows
        traced = torch.jit.freeze(torch.jit.trace(module, example, check_trace=False))  # type: ignore[no-untyped-call]  # as torch has it
        return openvino.convert_model(traced, example_input=example, input=[-1, *size, 3])
