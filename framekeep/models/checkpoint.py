"""Files of weights: reading them without trusting them, and whether they fit."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from timm.models import load_state_dict

from framekeep.errors import ModelUnavailableError

Tensors = Mapping[str, torch.Tensor]


def read_tensors(path: Path) -> Tensors:
    """A safetensors file, or a PyTorch file that holds nothing but tensors. Raises ModelUnavailableError."""
    with reading(path):
        tensors: Tensors = load_state_dict(str(path), weights_only=True)
        return tensors


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns whatever a damaged or hostile file makes the readers raise into a ModelUnavailableError."""
    try:
        yield
    except Exception as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ModelUnavailableError(
            f"{path} does not load as plain weights ({reason}): only safetensors, and PyTorch files that hold nothing "
            "but tensors, are read; save the model's state_dict() as safetensors"
        ) from error


def misfit(found: Tensors, expected: Tensors) -> str | None:
    """What keeps the tensors from filling a network that expects others; None where they fit."""
    missing = [key for key in expected if key not in found]
    unknown = [key for key in found if key not in expected]
    if missing or unknown:
        example = (missing or unknown)[0]
        return (
            f"{len(missing)} tensors are missing and {len(unknown)} unknown ({example!r}): is it another model's file?"
        )
    wrong = (key for key in expected if _shape(found[key]) != _shape(expected[key]))
    return next((_wrong_shape(key, found[key], expected[key]) for key in wrong), None)


def _shape(value: object) -> str:
    return str(tuple(value.shape)) if isinstance(value, torch.Tensor) else type(value).__name__


def _wrong_shape(key: str, found: torch.Tensor, expected: torch.Tensor) -> str:
    return (
        f"{key!r} has the shape {_shape(found)} where {_shape(expected)} is expected; a model of your own needs "
        "class_names (a detector: labels) with as many names as it has classes"
    )
