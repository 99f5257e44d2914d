"""Where the work is done: threads for the codec, one batch of looks at a time, threads that wait for disks."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, Self, TypeVar

from daemon.batcher import Batcher
from daemon.budget import Budget
from daemon.squeezers import SqueezerPool
from framekeep.evidence import Evidence
from framekeep.models.base import Model, Prepared

P = ParamSpec("P")
R = TypeVar("R")

_DISK_THREADS: Final = 8
"""Threads that mostly wait for fsync: more of them let the filesystem join commits."""


class Stages:
    """Executors and queues that all pictures in flight share. A context manager: leaving it waits for the threads."""

    def __init__(self, model: Model, batch: int, pixels_in_flight: int) -> None:
        cores = len(os.sched_getaffinity(0))
        self.model = model
        self.batch = batch
        self.pixels = Budget(pixels_in_flight)
        self._codec = ThreadPoolExecutor(cores, "codec")
        self._disk = ThreadPoolExecutor(_DISK_THREADS, "disk")
        self._looking = ThreadPoolExecutor(1, "look")
        self._squeezers = SqueezerPool(cores)
        self._looks: Batcher[Prepared, Evidence] = Batcher(self._looking, self._look_at, batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for executor in (self._codec, self._disk, self._looking):
            executor.shutdown()
        self._squeezers.close()

    async def codec(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs work that computes (libjpeg releases the GIL)."""
        return await _in(self._codec, work, *args, **kwargs)

    async def disk(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs work that waits for a disk."""
        return await _in(self._disk, work, *args, **kwargs)

    async def squeeze(self, data: bytes) -> bytes | None:
        """A camera's file, repacked losslessly in a process of its own; None where that cannot be done."""
        return await self._squeezers.squeeze(data)

    async def look(self, prepared: Prepared) -> Evidence:
        """What the model of record sees, together with whatever other pictures wait for."""
        return await self._looks.ask(prepared)

    async def pulse(self) -> None:
        """Returns once every kind of thread has done something: a stuck stage never returns."""
        for executor in (self._codec, self._disk, self._looking):
            await _in(executor, _nothing)

    def _look_at(self, batch: Sequence[Prepared]) -> Sequence[Evidence | Exception]:
        try:
            return self.model.look(batch)
        except Exception as error:  # noqa: BLE001 - one picture's failure must not fail its neighbours
            return [error] if len(batch) == 1 else [self._look_at([one])[0] for one in batch]


async def _in(executor: ThreadPoolExecutor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await asyncio.get_running_loop().run_in_executor(executor, lambda: work(*args, **kwargs))


def _nothing() -> None:
    return
