"""Networks by name: the paper's two, those that come in packages, and any other of timm's.

TensorFlow published the paper's networks with 1,001 classes, the first of which is none of ImageNet's; a file of such
weights is known by its last layer and has that class here too.
"""

import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from timm.data.imagenet_info import ImageNetInfo

from framekeep.errors import ModelUnavailableError, UsageError
from framekeep.models.architecture import published
from framekeep.models.catalogue import ModelChoice
from framekeep.models.checkpoint import read_tensors
from framekeep.models.classifier import Classifier
from framekeep.models.device import forbid_reduced_precision, pick_device
from framekeep.models.network import Network, load_network

PAPER: Final = MappingProxyType({"inception_v3.tf_in1k": "Inception V3", "resnetv2_50": "ResNet-50 V2"})
"""The paper's networks by timm's names, and what the paper calls them."""

_TF_SLIM: Final = MappingProxyType(
    {"input_size": (3, 299, 299), "crop_pct": 0.875, "interpolation": "bilinear", "mean": (0.5,) * 3, "std": (0.5,) * 3}
)
"""How TensorFlow's published weights of ResNet-50 V2 are evaluated (section 4.2's reference 33)."""
_SLIM_NAMES: Final = ("resnetv2_50",)
"""Networks whose own weights, in a file, are taken to be TensorFlow's: timm's tags have transforms of their own."""

_WISH: Final = re.compile(r"(?P<name>[^=]+)(?:=(?P<file>.+?)(?::(?P<digest>[0-9a-fA-F]{64}))?)?")
_WITH_BACKGROUND: Final = 1001
_PICTURES_ON_GPU: Final = 24
_PICTURES_ON_CPU: Final = 4


class WeightsNotPresentError(ModelUnavailableError):
    """The network is known, but nobody gave its weights and they cannot be fetched."""


@dataclass(frozen=True)
class Opened:
    """A network that can be asked, the pictures that make a good batch for it, and what it is made of."""

    model: Classifier
    pictures: int
    parameters: int


def parse_network(text: str) -> ModelChoice:
    """What NAME, NAME=FILE or NAME=FILE:SHA256 asks for. Raises UsageError."""
    found = _WISH.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} names no network: write NAME, NAME=FILE or NAME=FILE:SHA256")
    file = Path(found["file"]) if found["file"] else None
    return ModelChoice(found["name"].strip(), file, found["digest"])


def open_network(choice: ModelChoice, device: str, variants: int) -> Opened:
    """The network of record, for batches of whole pictures with so many variants each.

    Raises WeightsNotPresentError where no file of weights was given and none is to be had, ModelUnavailableError for
    whatever else stands in the way.
    """
    published(choice.name)  # an unknown name is an error, also where weights are missing
    place = pick_device(device)
    forbid_reduced_precision()
    network = load(choice)
    pictures = _PICTURES_ON_CPU if place.type == "cpu" else _PICTURES_ON_GPU
    parameters = sum(parameter.numel() for parameter in network.module.parameters())
    return Opened(Classifier(network, place, pictures * variants), pictures, parameters)


def load(choice: ModelChoice) -> Network:
    """As `open_network` has it, on the CPU. Raises what `open_network` raises."""
    if choice.weights is None:
        try:
            return load_network(choice)
        except ModelUnavailableError as error:
            raise WeightsNotPresentError(f"{error}, as in --model {choice.name}=FILE") from error
    network = _from_file(choice)
    if choice.name in _SLIM_NAMES:
        configuration: dict[str, Any] = dict(network.module.pretrained_cfg)  # type: ignore[arg-type]  # Module's type knows no attributes
        network.module.pretrained_cfg = configuration | _TF_SLIM  # type: ignore[assignment]  # as above
    return network


def _from_file(choice: ModelChoice) -> Network:
    """As the heart loads it; the names of 1,001 classes are told to it in a file, as it wants them."""
    if choice.class_names is not None or not _has_background(choice):
        return load_network(choice)
    names = ["background", *ImageNetInfo().label_names()]  # type: ignore[no-untyped-call]  # as timm has it
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "names.txt"
        file.write_text("\n".join(names) + "\n")
        return load_network(replace(choice, class_names=file))


def _has_background(choice: ModelChoice) -> bool:
    if choice.weights is None or not choice.weights.is_file():
        return False  # the heart tells what is wrong
    return any(tuple(tensor.shape) == (_WITH_BACKGROUND,) for tensor in read_tensors(choice.weights).values())


def codec_threads() -> int:
    """As many as this process has processors."""
    return len(os.sched_getaffinity(0))
