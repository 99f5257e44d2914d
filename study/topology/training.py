"""The training itself: stage after stage, epoch after epoch, from wherever it was left."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from timm.optim import param_groups_weight_decay  # type: ignore[attr-defined]  # exported without saying so
from torch.nn import functional
from torch.utils.data import Dataset

from framekeep.errors import UsageError
from study.topology.averaging import averaged
from study.topology.checkpoints import load, save
from study.topology.features import Features, Looking
from study.topology.module import Topology
from study.topology.pictures import Shown, batches, drawn_seed, in_groups
from study.topology.recipe import Epoch, Recipe, next_stage

LAST: Final = "last.pt"

Told = Callable[[Sequence[Epoch]], None]
"""Is told the curve after each epoch."""

_Samples = Dataset[tuple[torch.Tensor, int]]
_TOP: Final = 5


@dataclass(frozen=True)
class Training:
    """A training as it was asked for."""

    looking: Looking
    training: Features
    validation: Features
    recipe: Recipe
    folder: Path


def stage_file(folder: Path, stage: int) -> Path:
    """Where the averaged parameters of a stage are: of the last layer for stage 0, else of the whole topology."""
    return folder / f"stage-{stage}.pt"


def part_at(topology: Topology, stage: int) -> torch.nn.Module:
    """The part that a stage works with: while all of the trunk is frozen, its features come from disk."""
    return topology if stage else topology.head


def train(asked: Training, told: Told) -> tuple[Epoch, ...]:
    """Trains to the end, or on from the last checkpoint in the folder. Returns the curve.

    The same training gives the same parameters, however often it was interrupted. Raises UsageError where it diverges
    and where a checkpoint cannot be written or read.
    """
    now, curve = _resumed(asked) if (asked.folder / LAST).exists() else _begun(asked)
    told(curve)
    while (stage := next_stage(curve, asked.recipe)) is not None:
        if stage != now.stage:
            now = _Stage(asked, stage)
        curve.append(now.epoch(len(curve)))
        if asked.looking.world.leads:
            now.write(curve)
        told(curve)
    return tuple(curve)


def _begun(asked: Training) -> tuple["_Stage", list[Epoch]]:
    first = _Stage(asked, 0)
    return first, [first.scored(0, None)]


def _resumed(asked: Training) -> tuple["_Stage", list[Epoch]]:
    left = load(asked.folder / LAST)
    curve = [Epoch(**line) for line in left["curve"]]
    stage = _Stage(asked, curve[-1].stage)
    asked.looking.topology.load_state_dict(left["topology"])
    stage.average.load_state_dict(left["average"])
    stage.optimiser.load_state_dict(left["optimiser"])
    return stage, curve


class _Stage:
    """A stage under way. It starts with the topology as the stage before left it."""

    def __init__(self, asked: Training, stage: int) -> None:
        self.stage = stage
        self._asked = asked
        self._recipe, self._world = asked.recipe, asked.looking.world
        asked.looking.topology.unfreeze(stage)
        part = part_at(asked.looking.topology, stage)
        self._part = part
        self.average = averaged(part, asked.recipe.averaging)
        self.optimiser = torch.optim.SGD(
            param_groups_weight_decay(part, asked.recipe.weight_decay),
            lr=asked.recipe.rate(stage),
            momentum=asked.recipe.momentum,
        )
        self._joined = self._world.joined(part)

    def epoch(self, number: int) -> Epoch:
        """Trains with all pictures once. Raises UsageError where the loss is no number any more."""
        order = batches(len(self._asked.training), self._recipe.batch, self._recipe.seed, number)
        torch.manual_seed(drawn_seed(self._recipe.seed, number, self._world.rank))  # what blocks drop, they drop again
        self._joined.train()
        total = torch.zeros(2, dtype=torch.float64)
        shares = [self._world.share(batch) for batch in order]
        for batch, (samples, labels) in zip(order, self._loaded(self._asked.training, shares), strict=True):
            loss = functional.cross_entropy(self._joined(samples), labels, reduction="sum")
            self.optimiser.zero_grad()
            torch.autograd.backward(loss * self._world.size / len(batch))  # processes take the mean of what each has
            self.optimiser.step()
            self.average.update_parameters(self._part)
            total += torch.tensor([loss.item(), len(labels)])
        summed, count = self._world.total(total).tolist()
        if not math.isfinite(summed):
            raise UsageError("the training diverged, its loss is no number any more: try a smaller --learning-rate")
        return self.scored(number, summed / count)

    def scored(self, number: int, loss: float | None) -> Epoch:
        """The epoch's line of the curve, with the averaged parameters validated."""
        pictures = self._world.share(range(len(self._asked.validation)))
        groups = [pictures[k : k + self._recipe.batch] for k in range(0, len(pictures), self._recipe.batch)]
        total = torch.zeros(3, dtype=torch.float64)
        self.average.eval()
        with torch.inference_mode():
            for samples, labels in self._loaded(self._asked.validation, groups):
                total += _scores(self.average(samples), labels)
        means = (self._world.total(total) / len(self._asked.validation)).tolist()
        return Epoch(number, self.stage, self._recipe.rate(self.stage), loss, *means)

    def write(self, curve: Sequence[Epoch]) -> None:
        """The checkpoint to go on from, and the averaged parameters so far."""
        save(self.average.module.state_dict(), stage_file(self._asked.folder, self.stage))
        state = {
            "curve": [asdict(epoch) for epoch in curve],
            "topology": self._asked.looking.topology.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        save(state, self._asked.folder / LAST)

    def _loaded(self, features: Features, groups: Sequence[list[int]]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """What the part is trained on: features, or the pixels of the same pictures."""
        data: _Samples = Shown(self._asked.looking.view, features.pictures) if self.stage else features
        workers = self._asked.looking.workers if self.stage else 0
        for items in in_groups(data, groups, workers):
            samples, labels = zip(*items, strict=True)
            yield torch.stack(samples).to(self._world.device), torch.tensor(labels, device=self._world.device)


def _scores(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sums of the loss and of the pictures whose label is first, and among the first five."""
    ranks = ranks_of(logits, labels)
    loss = functional.cross_entropy(logits, labels, reduction="sum")
    return torch.stack([loss.double(), (ranks == 1).sum(), (ranks <= _TOP).sum()]).cpu()


def ranks_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The labels' 1-based ranks, equal logits by index, as the heart's predictions count them; shape (batch,)."""
    order = logits.argsort(dim=1, descending=True, stable=True)
    return (order == labels[:, None]).int().argmax(dim=1) + 1
