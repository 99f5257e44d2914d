"""The end of a classifier's evaluation transform, in the network itself: there whatever computes it can fold it in."""

from collections.abc import Sequence

import torch


class Normalising(torch.nn.Module):
    """From pixels (batch, height, width, 3), bytes, to the logits of a network that wants (batch, 3, height, width)."""

    _white: torch.Tensor
    _mean: torch.Tensor
    _std: torch.Tensor

    def __init__(self, network: torch.nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("_white", torch.tensor(255.0))  # by a number a GPU does not divide, it multiplies
        self.register_buffer("_mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("_std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """The network is given, to the last bit, what torchvision's ToTensor and Normalize make."""
        logits: torch.Tensor = self.network((pixels.permute(0, 3, 1, 2).float() / self._white - self._mean) / self._std)
        return logits
