"""Whether the model of record can be used, and how fast it is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from daemon.checks.check import Check, State
from daemon.config.schema import Selection
from daemon.house import open_model
from framekeep.errors import ModelUnavailableError
from framekeep.models.base import Model, timed_look

_NVIDIA: Final = Path("/dev/nvidiactl")


def check_model(selection: Selection, clock: Callable[[], float]) -> Iterator[Check]:
    """Loads the model, which proves its digest, and lets it look at a picture. `clock` counts seconds."""
    try:
        model = open_model(selection)
        yield Check("model", State.OK, f"{model.name}: {len(model.class_names)} classes, weights {model.digest[:12]}…")
        yield _device(model)
        yield _look(model, clock)
    except ModelUnavailableError as error:
        yield Check.failed("model", error)


def _device(model: Model) -> Check:
    if model.device == "cpu" and _NVIDIA.exists():
        sentence = "cpu, though there is an NVIDIA GPU: install PyTorch's CUDA build, or let this user open the GPU"
        return Check("device", State.WARNING, sentence)
    return Check("device", State.OK, model.device)


def _look(model: Model, clock: Callable[[], float]) -> Check:
    try:
        seconds = timed_look(model, clock)
    except FloatingPointError as error:
        raise ModelUnavailableError(f"{error}: its weights are damaged, or were made for another model") from error
    return Check("look", State.OK, f"{seconds * 1000:.0f} ms for one picture")
