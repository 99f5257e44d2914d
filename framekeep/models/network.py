"""A classifier in memory: timm's architecture filled with checked weights."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

from framekeep.errors import ModelUnavailableError
from framekeep.models.architecture import published
from framekeep.models.catalogue import PACKAGED, ModelChoice
from framekeep.models.checkpoint import Tensors, misfit, read_tensors, reading
from framekeep.models.names import read_class_names
from framekeep.models.weights import Weights, find_weights


@dataclass(frozen=True)
class Network:
    """A module in evaluation mode that maps pixels (batch, 3, height, width) to logits (batch, classes)."""

    name: str
    module: torch.nn.Module
    digest: str
    class_names: tuple[str, ...]


def load_network(choice: ModelChoice) -> Network:
    """Raises ModelUnavailableError with a sentence for whatever stands in the way."""
    published(choice.name)
    names = read_class_names(choice.class_names) if choice.class_names else None
    weights = find_weights(choice)
    module = _fill(choice, weights, names)
    return Network(choice.name, module.eval(), weights.digest, _class_names(choice.name, module, names))


def _fill(choice: ModelChoice, weights: Weights, names: tuple[str, ...] | None) -> torch.nn.Module:
    if choice.weights is None and choice.name not in PACKAGED:
        return _from_hub(choice.name, weights.path)
    module: torch.nn.Module = timm.create_model(choice.name, num_classes=len(names) if names else None)
    expected = module.state_dict()
    found = _in_order(choice.name, weights.digest, read_tensors(weights.path), expected)
    fault = misfit(found, expected)
    if fault:
        raise ModelUnavailableError(f"the weights {weights.path} do not fit {choice.name}: {fault}")
    module.load_state_dict(found)
    return module


def _from_hub(name: str, path: Path) -> torch.nn.Module:
    with reading(path):  # timm's own loading knows what older files on the hub need before they fit
        module: torch.nn.Module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": str(path)})
        return module


def _in_order(name: str, digest: str, found: Tensors, expected: Tensors) -> Tensors:
    known = PACKAGED.get(name)
    if known is None or known.sha256 != digest:
        return found
    return dict(zip(expected, found.values(), strict=True))


def _class_names(name: str, module: torch.nn.Module, names: tuple[str, ...] | None) -> tuple[str, ...]:
    classes = int(module.num_classes)  # type: ignore[arg-type]  # Module's type knows no attributes
    if classes == 0:
        raise ModelUnavailableError(f"{name} is no classifier: as published it has no classes")
    if names is not None and len(names) != classes:
        raise ModelUnavailableError(f"{name} has {classes} classes, but class_names holds {len(names)} names")
    return names or _imagenet_names(module) or tuple(f"class {k}" for k in range(classes))


def _imagenet_names(module: torch.nn.Module) -> tuple[str, ...] | None:
    """The first synonym of each class, with its WordNet number where two share it: a crane is a bird and a machine."""
    subset = infer_imagenet_subset(module)
    if subset is None:
        return None
    info = ImageNetInfo(subset)
    firsts = [description.split(",")[0] for description in info.label_descriptions()]
    count = Counter(firsts)
    return tuple(
        first if count[first] == 1 else f"{first} ({info.index_to_label_name(k)})" for k, first in enumerate(firsts)
    )
