"""The running average of the parameters, with which the paper evaluates (section 4.2)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

_FIRST, _LAST = 1, 10


def averaged(module: torch.nn.Module, decay: float) -> AveragedModel:
    """A module whose parameters are the running average of another's, as they are when it is told to update."""
    return AveragedModel(module, multi_avg_fn=partial(_average, decay))


def _average(
    decay: float, averages: Sequence[torch.Tensor], current: Sequence[torch.Tensor], count: torch.Tensor | int
) -> None:
    """As TensorFlow does it: young averages forget faster, or a short training would be judged by its first steps."""
    warm = (_FIRST + int(count)) / (_LAST + int(count))
    get_ema_multi_avg_fn(min(decay, warm))(averages, current, count)  # type: ignore[no-untyped-call]  # as PyTorch has it
