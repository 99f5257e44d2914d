"""The blocks of a network, as timm groups its parameters; training unfreezes them from the last one back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import commonpath

import torch
from timm.models import group_parameters


@dataclass(frozen=True, slots=True)
class Block:
    """Parameters that are unfrozen together."""

    name: str
    """The module that holds the layers ("Mixed_7c"), or the first and the last ("blocks.6 … conv_head")."""
    parameters: tuple[str, ...]


def blocks_of(trunk: torch.nn.Module) -> tuple[Block, ...]:
    """From the first to the last. `trunk` is one of timm's networks without its last fully connected layer.

    A block is a group of timm's coarse `group_matcher`. One that only normalises goes with the block before it: the
    paper's ResNet-50 V2 (Table 4) has no row of its own for the normalisation behind Block4.
    """
    matcher = trunk.group_matcher(coarse=True)  # type: ignore[operator]  # Module's type knows no methods of timm
    dimensions = {name: parameter.ndim for name, parameter in trunk.named_parameters()}
    groups: list[list[str]] = []
    for names in group_parameters(trunk, matcher).values():
        if groups and all(dimensions[name] == 1 for name in names):
            groups[-1] += names
        else:
            groups.append(list(names))
    return tuple(Block(_name(names, dimensions), tuple(names)) for names in groups)


def _name(names: Sequence[str], dimensions: Mapping[str, int]) -> str:
    """After the layers that mix channels, which have weights of two dimensions and more."""
    layers = [(name.rpartition(".")[0] or name).replace(".", "/") for name in names if dimensions[name] > 1]
    common = commonpath(layers)
    return _short(common) if common else f"{_short(layers[0])} … {_short(layers[-1])}"


def _short(path: str) -> str:
    return ".".join(path.split("/")[:2])
