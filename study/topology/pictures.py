"""Labelled pictures on their way into the topology: which are trained on, in what order, and as which pixels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from framekeep.ladder import Ladder
from framekeep.models.base import Prepared
from framekeep.reasons import Kept
from study.passing.counting import read, try_out

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, and the index of its class in the network."""

    path: Path
    label: int


@dataclass(frozen=True, slots=True)
class View:
    """How a network is shown a picture: with its variants at these rungs, through this transform."""

    ladder: Ladder
    prepare: Callable[[Image.Image], Prepared]
    normalised: Callable[[Sequence[Prepared]], torch.Tensor]

    @property
    def inputs(self) -> int:
        """n+1."""
        return len(self.ladder) + 1

    def pixels(self, picture: Picture) -> torch.Tensor:
        """Shape (n+1, 3, height, width), the original first. Raises Kept for a picture that cannot be decoded."""
        tried = try_out(*read(picture.path), self.ladder, "paper", self.prepare)
        return self.normalised(tried.prepared)


class Readable(Dataset[tuple[int, torch.Tensor | None]]):
    """Pictures by their index, with None in the place of pixels that cannot be had."""

    def __init__(self, view: View, pictures: Sequence[Picture]) -> None:
        self._view = view
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, k: int) -> tuple[int, torch.Tensor | None]:
        try:
            return k, self._view.pixels(self._pictures[k])
        except Kept:
            return k, None


class Shown(Dataset[tuple[torch.Tensor, int]]):
    """Pixels and label of pictures all of which are known to be readable."""

    def __init__(self, view: View, pictures: Sequence[Picture]) -> None:
        self._view = view
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, int]:
        return self._view.pixels(self._pictures[k]), self._pictures[k].label


def in_groups(data: Dataset[Item], groups: Sequence[Sequence[int]], workers: int) -> Iterator[list[Item]]:
    """The items of each group, in order.

    Workers hand over one picture at a time: a hundred of them with all variants take more than a gigabyte, and there
    are many workers, each of which is ahead.
    """
    order = [k for group in groups for k in group]
    items = iter(DataLoader(data, batch_size=None, sampler=order, num_workers=workers))
    for group in groups:
        yield list(islice(items, len(group)))


def hold_out(pictures: Sequence[Picture], count: int, seed: int) -> tuple[list[Picture], list[Picture]]:
    """Those to train on, and `count` drawn ones to validate with."""
    order = _shuffled(len(pictures), seed)
    drawn = set(order[:count])
    return (
        [picture for k, picture in enumerate(pictures) if k not in drawn],
        [picture for k, picture in enumerate(pictures) if k in drawn],
    )


def batches(count: int, size: int, seed: int, epoch: int) -> list[list[int]]:
    """The order of one epoch, which is the same whoever asks; what is left over of a last batch waits for another."""
    order = _shuffled(count, seed, epoch)
    whole = max(count // size, 1)
    return [order[k * size : (k + 1) * size] for k in range(whole)]


def drawn_seed(*parts: int) -> int:
    """One seed for each combination of numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _shuffled(count: int, *seed: int) -> list[int]:
    order: list[int] = np.random.default_rng(seed).permutation(count).tolist()
    return order
