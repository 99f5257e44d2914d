"""Whether the models of record can be used, and how fast they are."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from daemon.checks.check import Check, State
from daemon.config.schema import Config
from daemon.known_labels import known_labels
from daemon.models import open_detection, open_model
from framekeep.errors import ConfigurationError, ModelUnavailableError
from framekeep.keepers.naming import compares_labels, compares_objects
from framekeep.models.base import Model, timed_look

_NVIDIA: Final = Path("/dev/nvidiactl")


def check_models(config: Config, clock: Callable[[], float]) -> Iterator[Check]:
    """Those that some camera's keeper needs. `clock` counts seconds."""
    detects = any(map(compares_objects, config.keepers))
    if not detects or any(map(compares_labels, config.keepers)):
        yield from _check(_Names("model", "device", "look"), lambda: _classifier(config), clock)
    if detects:
        names = _Names("detector", "detector's device", "detector's look")
        yield from _check(names, lambda: open_detection(config), clock)


def _classifier(config: Config) -> Model:
    """With whose classes the known labels, where there are any, have to agree."""
    model = open_model(config.selection)
    known_labels(config.selection.known_labels, model)
    return model


class _Names(NamedTuple):
    """Of a model's checks."""

    model: str
    device: str
    look: str


def _check(names: _Names, load: Callable[[], Model], clock: Callable[[], float]) -> Iterator[Check]:
    """Loads a model, which proves its digest, and lets it look at a picture."""
    try:
        model = load()
        count = len(model.class_names)
        sentence = f"{model.name}: {count} class{'es' * (count > 1)}, weights {model.digest[:12]}…"
        yield Check(names.model, State.OK, sentence)
        yield _device(names.device, model)
        yield _look(names.look, model, clock)
    except (ModelUnavailableError, ConfigurationError) as error:
        yield Check.failed(names.model, error)


def _device(name: str, model: Model) -> Check:
    if model.device.startswith("cpu") and _NVIDIA.exists():
        sentence = "cpu, though there is an NVIDIA GPU: install PyTorch's CUDA build, or let this user open the GPU"
        return Check(name, State.WARNING, sentence)
    return Check(name, State.OK, model.device)


def _look(name: str, model: Model, clock: Callable[[], float]) -> Check:
    try:
        seconds = timed_look(model, clock)
    except FloatingPointError as error:
        raise ModelUnavailableError(f"{error}: its weights are damaged, or were made for another model") from error
    return Check(name, State.OK, f"{seconds * 1000:.0f} ms for one picture")
