"""One of torchvision's detection networks in memory, filled with checked weights."""

from dataclasses import dataclass
from typing import Final

import torch
from torchvision.models import get_model

from framekeep.errors import ModelUnavailableError
from framekeep.models.checkpoint import Tensors, misfit, read_tensors
from framekeep.models.detectors.catalogue import DetectorChoice, without_background
from framekeep.models.detectors.torchvision_hub import categories, fetch
from framekeep.models.names import read_class_names
from framekeep.models.weights import Weights, checked_weights

_COUNTER: Final = "num_batches_tracked"
_WITHOUT_EPSILON: Final = frozenset({"fasterrcnn_resnet50_fpn", "retinanet_resnet50_fpn"})
"""Their weights were trained with a frozen batch normalisation that adds nothing to the variance."""


@dataclass(frozen=True)
class DetectionNetwork:
    """A module in evaluation mode that maps pictures of any size, (3, height, width) in 0 to 1, to their boxes."""

    name: str
    module: torch.nn.Module
    digest: str
    categories: tuple[str, ...]
    """By the number that the network gives; some are none."""

    @property
    def class_names(self) -> tuple[str, ...]:
        return without_background(self.categories)


def load_network(choice: DetectorChoice) -> DetectionNetwork:
    """Raises ModelUnavailableError with a sentence for whatever stands in the way."""
    names = read_class_names(choice.class_names) if choice.class_names else categories(choice.name)
    weights = checked_weights([choice.weights or fetch(choice.name)], choice.weights_sha256)
    module: torch.nn.Module = get_model(choice.name, weights=None, weights_backbone=None, num_classes=len(names))
    _fill(module, choice.name, weights)
    return DetectionNetwork(choice.name, module.eval(), weights.digest, names)


def _fill(module: torch.nn.Module, name: str, weights: Weights) -> None:
    read, expected = read_tensors(weights.path), module.state_dict()
    found = _with_counters(read, expected)
    fault = misfit(found, expected)
    if fault:
        raise ModelUnavailableError(f"the weights {weights.path} do not fit {name}: {fault}")
    if not all(torch.isfinite(tensor).all() for tensor in found.values()):
        raise ModelUnavailableError(f"the weights {weights.path} hold numbers that are not finite")
    module.load_state_dict(found)
    if name in _WITHOUT_EPSILON and _is_frozen(read):
        _drop_epsilon(module)


def _with_counters(found: Tensors, expected: Tensors) -> Tensors:
    """A frozen batch normalisation computes what another does in evaluation mode, but counts no batches."""
    counters = {key: counter for key, counter in expected.items() if key.endswith(_COUNTER)}
    return counters | dict(found)


def _is_frozen(found: Tensors) -> bool:
    return not any(key.endswith(_COUNTER) for key in found)


def _drop_epsilon(module: torch.nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eps = 0.0
