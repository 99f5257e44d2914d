"""The processes that train together, one for each GPU, as torchrun starts them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from framekeep.models.device import pick_device

Item = TypeVar("Item")

_PATIENCE: Final = timedelta(hours=12)
"""Others wait so long for one that makes features, which may have a slow disk."""


@dataclass(frozen=True)
class World:
    """This process among those that train together."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this one writes files and tells of progress."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> list[Item]:
        """This process's part, of which all parts together are the whole."""
        return list(items[self.rank :: self.size])

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, on the CPU."""
        if self.size == 1:
            return values
        sums = values.to(self.device)  # GPUs add up what is on them, and nothing else
        distributed.all_reduce(sums)
        return sums.cpu()

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            distributed.barrier()

    def joined(self, module: torch.nn.Module) -> torch.nn.Module:
        """The module, with gradients that are the mean over all processes.

        Batch normalisation is each process's own, over its share of a batch; the first one's statistics go to all.
        """
        if self.size == 1:
            return module
        places = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=places)


@contextmanager
def joined_world(device: str) -> Iterator[World]:
    """The world that torchrun's environment variables describe; this process alone where there are none."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(pick_device(device))
        return
    if device in ("auto", "cuda") and torch.cuda.is_available():
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    place = pick_device(device)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield World(place, distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()
