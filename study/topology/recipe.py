"""How the topology is trained (section 4.2), and when its next block is unfrozen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from study.topology.module import Init


@dataclass(frozen=True, slots=True)
class Recipe:
    """Stage 0 trains the last layer; each further stage unfreezes one block more, with a tenth of the learning rate."""

    init: Init = "random"
    unfreeze: int = 1
    """Blocks that are unfrozen in the end. The paper: 3 of Inception V3, 1 of ResNet-50 V2."""
    epochs: int = 20
    """The most that one stage gets."""
    patience: int = 2
    """Epochs without a smaller validation error that make a plateau."""
    batch: int = 100
    """Pictures, over all processes."""
    learning_rate: float = 0.01
    momentum: float = 0.0
    weight_decay: float = 1e-4
    averaging: float = 0.9999
    """The decay of the running average of the parameters, once it has run for long."""
    seed: int = 0

    def rate(self, stage: int) -> float:
        """The learning rate, which the paper divides by 10 from one stage to the next."""
        return self.learning_rate / math.pow(10, stage)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the curve. Validation is that of the averaged parameters; accuracies are fractions of one."""

    number: int
    """From 1; 0 stands before any training."""
    stage: int
    learning_rate: float
    loss: float | None
    """The mean over the pictures trained on; None before any training."""
    validation_loss: float
    top1: float
    top5: float


def next_stage(curve: Sequence[Epoch], recipe: Recipe) -> int | None:
    """The stage of the epoch that follows; None: the training has ended."""
    stage = curve[-1].stage
    errors = [1 - epoch.top1 for epoch in curve if epoch.stage == stage]
    trained = len(errors) - (curve[0].stage == stage)  # the line before any training counts as a first error
    if trained < recipe.epochs and not is_plateau(errors, recipe.patience):
        return stage
    return stage + 1 if stage < recipe.unfreeze else None


def is_plateau(errors: Sequence[float], patience: int) -> bool:
    """Whether none of the last `patience` errors is smaller than the least one before them."""
    before, last = errors[:-patience], errors[-patience:]
    return bool(before) and min(last) >= min(before)
