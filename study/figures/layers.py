"""What one layer of a network makes of a picture and of its variant: its feature maps, and where the object is.

Layers are counted as the paper counts them in Inception V3, by their activations: layer 1 ends with the first ReLU that
a picture comes through, layer 2 with the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from framekeep.errors import UsageError
from framekeep.models.classifier import Classifier
from framekeep.models.network import Network

_ACTIVATIONS: Final = ("torch.nn.modules.activation", "timm.layers.activations")
_MAPS: Final = 4
"""Axes of a layer's output, if maps are what it gives: pictures, maps, height, width."""


class NoMapsError(UsageError):
    """The network has no feature maps there, or none whose foreground is known."""


@dataclass(frozen=True)
class Maps:
    """The feature maps of the original and of the variant, each of shape (maps, height, width)."""

    layer: str
    """As the network's module is called, such as "bn1.act"."""
    original: NDArray[np.float32]
    variant: NDArray[np.float32]
    foreground: NDArray[np.bool_]
    """Where the network sees the ground truth, shape (height, width)."""


def maps_of(network: Network, pictures: Sequence[Image.Image], label: int, layer: str) -> Maps:
    """`pictures` are an original and its variant; `layer` is a number from 1 or a module's name.

    Raises NoMapsError for a layer that the network does not have, or that makes no maps, and for a network that does
    not end with one layer over features that have a place in the picture.
    """
    model = Classifier(network, torch.device("cpu"), len(pictures))
    name, maps, features = _seen(network, model.normalised([model.prepare(picture) for picture in pictures]), layer)
    foreground = _foreground(network, features, label, (maps.shape[2], maps.shape[3]))
    original, variant = maps.numpy()
    return Maps(name, original, variant, foreground)


def _seen(network: Network, pixels: torch.Tensor, layer: str) -> tuple[str, torch.Tensor, torch.Tensor]:
    """The layer's name and output, and the last features, which have a place in the picture."""
    found: list[tuple[str, torch.Tensor]] = []
    watched = _watched(network, layer)
    wanted = int(layer) if layer.isdecimal() else 1

    def keep(name: str, output: Any) -> None:  # noqa: ANN401 - a module may give anything
        if isinstance(output, torch.Tensor) and output.ndim == _MAPS and len(found) < wanted:
            found.append((name, output.clone()))

    hooks = [part.register_forward_hook(lambda _m, _i, out, name=name: keep(name, out)) for name, part in watched]
    module: Any = network.module  # timm's own methods, which Module's type does not know
    try:
        with torch.inference_mode():
            features = module.forward_features(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    if wanted < 1 or len(found) < wanted:
        raise NoMapsError(f"{network.name} has no feature maps at layer {layer}: choose another with --layer")
    return *found[-1], features


def _watched(network: Network, layer: str) -> list[tuple[str, torch.nn.Module]]:
    parts = list(network.module.named_modules())
    if layer.isdecimal():
        return [(name, part) for name, part in parts if type(part).__module__.startswith(_ACTIVATIONS)]
    return [(name, part) for name, part in parts if name == layer]


def _foreground(network: Network, features: torch.Tensor, label: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where the class activation map of the ground truth is above its mean, in original and variant together.

    The last features weighted as the last layer weighs them for that class (Zhou et al., 2016).
    """
    module: Any = network.module
    weights = getattr(module.get_classifier(), "weight", None)
    if weights is None or features.ndim != _MAPS or features.shape[1] != weights.shape[1]:
        raise NoMapsError(f"{network.name} does not say where in a picture it sees a class")
    seen = torch.einsum("c,bchw->hw", weights.detach().flatten(1)[label], features)[None, None]
    whole = torch.nn.functional.interpolate(seen, size, mode="bilinear")[0, 0]
    return np.asarray((whole > whole.mean()).numpy(), np.bool_)
