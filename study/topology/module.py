"""The parallel topology (section 4.1, Figure 12) over any of timm's networks."""

from copy import deepcopy
from typing import Literal, Self

import torch
from torch.nn import functional

from framekeep.errors import UsageError
from study.topology.blocks import Block, blocks_of

Init = Literal["random", "original", "mean"]


class Topology(torch.nn.Module):
    """One trunk for all n+1 inputs; their pooled features, side by side, enter one last fully connected layer.

    Everything is frozen but the last layer and as many of the last blocks as `unfreeze` was told. What is frozen keeps
    nothing for a backward pass, and stays in evaluation mode: its batch normalisation neither learns nor drifts.
    """

    def __init__(self, trunk: torch.nn.Module, head: "LastLayer") -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.blocks: tuple[Block, ...] = blocks_of(trunk)
        self.unfreeze(0)

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """Shape (batch, n+1, features) of pixels of shape (batch, n+1, 3, height, width).

        In training all inputs are one batch, so that batch normalisation sees the original and the variants together,
        as its running statistics will have to serve them all. In evaluation each goes through alone, just as the
        network would see it.
        """
        if self.training:
            merged: torch.Tensor = self.trunk(pixels.flatten(0, 1))
            return merged.reshape(*pixels.shape[:2], -1)
        return torch.stack([self.trunk(one) for one in pixels.unbind(1)], dim=1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits of shape (batch, classes) of pixels of shape (batch, n+1, 3, height, width)."""
        logits: torch.Tensor = self.head(self.features(pixels))
        return logits

    def unfreeze(self, count: int) -> None:
        """From now on the last `count` blocks are trained with the last layer, and nothing else is."""
        trained = {name for block in self.blocks[len(self.blocks) - count :] for name in block.parameters}
        for name, parameter in self.trunk.named_parameters():
            parameter.requires_grad_(name in trained)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if mode:
            _rest_where_frozen(self.trunk)
        return self


class LastLayer(torch.nn.Linear):
    """The one last fully connected layer, over the features of n+1 inputs: (batch, n+1, features) to logits.

    It is the product of the features side by side with the weights, added up input by input. One large product would
    be the same but for its rounding, and the network alone is to be met to the last bit.
    """

    def __init__(self, inputs: int, features: int, classes: int, *, convolves: bool) -> None:
        super().__init__(inputs * features, classes)
        self.features = features
        self.convolves = convolves
        """Whether the network's own last layer is a convolution of one pixel, which rounds in a way of its own."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        weights = torch.split(self.weight, self.features, dim=1)
        first, *rest = zip(features.unbind(1), weights, strict=True)
        logits = self._product(*first, self.bias)
        for one in rest:
            logits = logits + self._product(*one, None)
        return logits

    def _product(self, features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        if self.convolves:
            return functional.conv2d(features[..., None, None], weight[..., None, None], bias).flatten(1)
        return functional.linear(features, weight, bias)


def build_topology(network: torch.nn.Module, inputs: int, init: Init) -> Topology:
    """The topology over a copy of a classifier of timm's. `inputs` is n+1.

    init: "random" draws the last layer's weights as PyTorch does (the paper's); "original" takes the network's own for
    the original's features, and zeros for the variants', so that before training both give the same logits; "mean"
    gives the mean of the logits of all inputs. Raises UsageError for a network without one last fully connected layer.
    """
    trunk = deepcopy(network)
    last = _last_layer(trunk)
    weight = last.weight.detach().flatten(1)
    classes, features = weight.shape
    head = LastLayer(inputs, features, classes, convolves=last.weight.ndim > weight.ndim).to(weight.device)
    if init != "random":
        with torch.no_grad():
            head.weight.copy_(_blocks_of_weights(weight, inputs, init))
            head.bias.copy_(torch.zeros(classes) if last.bias is None else last.bias)
    trunk.reset_classifier(0)  # type: ignore[operator]  # Module's type knows no methods of timm
    return Topology(trunk, head)


def parameter_count(module: torch.nn.Module, *, trained: bool = False) -> int:
    """All of a module's parameters, or only those that are trained."""
    return sum(one.numel() for one in module.parameters() if one.requires_grad or not trained)


def _blocks_of_weights(weight: torch.Tensor, inputs: int, init: Init) -> torch.Tensor:
    shares = torch.zeros(inputs)
    if init == "original":
        shares[0] = 1
    else:
        shares[:] = 1 / inputs
    return torch.cat([weight * share for share in shares.tolist()], dim=1)


def _last_layer(network: torch.nn.Module) -> torch.nn.Linear | torch.nn.Conv2d:
    last = network.get_classifier()  # type: ignore[operator]  # as above
    if not isinstance(last, (torch.nn.Linear, torch.nn.Conv2d)):
        raise UsageError(f"{type(network).__name__} has no one last fully connected layer that could be put over more")
    return last


def _rest_where_frozen(module: torch.nn.Module) -> None:
    """Into evaluation mode, but for modules all of whose parameters are trained."""
    parameters = [one.requires_grad for one in module.parameters()]
    if parameters and all(parameters):
        return
    module.training = False
    for child in module.children():
        _rest_where_frozen(child)
