"""Where the work is done: threads for the codec, one batch of looks at a time, threads that wait for disks."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, ParamSpec, Self, TypeVar

from daemon.apart import ProcessesApart
from daemon.batcher import Batcher
from daemon.budget import Budget
from daemon.pace import Bandwidth
from framekeep.errors import FramekeepError
from framekeep.evidence import Evidence
from framekeep.models.base import Model, Prepared
from framekeep.reasons import Kept, Reason

P = ParamSpec("P")
R = TypeVar("R")

CODEC_THREADS: Final = "codec"
"""How the names of the threads begin that decode and encode."""
_DISK_THREADS: Final = 8
"""Threads that mostly wait for fsync: more of them let the filesystem join commits."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be looked at, and by whom."""

    model: Model
    prepared: Prepared


class Stages:
    """Executors and queues that all pictures in flight share. A context manager: leaving it waits for the threads."""

    def __init__(
        self, batch: int, pixels_in_flight: int, max_seconds: float, bandwidth: Bandwidth | None = None
    ) -> None:
        cores = len(os.sched_getaffinity(0))
        self.batch = batch
        self.pixels = Budget(pixels_in_flight)
        self.bandwidth = bandwidth or Bandwidth(0)
        """Of pictures that are read, and variants that are written."""
        self.stuck = False
        """A codec thread does not come back: the process has to end."""
        self._max_seconds = max_seconds
        self._codec = ThreadPoolExecutor(cores, CODEC_THREADS)
        self._disk = ThreadPoolExecutor(_DISK_THREADS, "disk")
        self._looking = ThreadPoolExecutor(1, "look")
        self._apart = ProcessesApart(cores, max_seconds)
        self._looks: Batcher[Look, Evidence] = Batcher(self._looking, self._look_at, batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._codec.shutdown(wait=not self.stuck, cancel_futures=self.stuck)
        self._disk.shutdown()
        self._looking.shutdown()
        self._apart.close()

    async def codec(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs work that computes (libjpeg releases the GIL). Raises Kept for work that does not end."""
        begun: list[float] = []

        def timed() -> R:
            begun.append(time.monotonic())
            return work(*args, **kwargs)

        future = asyncio.get_running_loop().run_in_executor(self._codec, timed)
        while not (await asyncio.wait({future}, timeout=self._max_seconds))[0]:
            if begun and time.monotonic() - begun[0] >= self._max_seconds:
                self.stuck = True
                raise Kept(Reason.TOO_SLOW, f"longer than {self._max_seconds:g} seconds")
        return future.result()

    async def disk(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs work that waits for a disk."""
        return await _in(self._disk, work, *args, **kwargs)

    async def squeeze(self, data: bytes) -> bytes | None:
        """A camera's file, repacked losslessly in a process of its own; None where that cannot be done."""
        return await self._apart.squeeze(data)

    async def apart(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs work on a camera's file that may end its process. Raises Kept where it did."""
        return await self._apart.run(work, *args, **kwargs)

    async def look(self, model: Model, prepared: Prepared) -> Evidence:
        """What a model of record sees, together with whatever other pictures wait for."""
        return await self._looks.ask(Look(model, prepared))

    async def pulse(self) -> None:
        """Returns once every kind of thread and process has done something: a stuck stage never returns."""
        for executor in (self._codec, self._disk, self._looking):
            await _in(executor, _nothing)
        await self._apart.pulse()

    def _look_at(self, batch: Sequence[Look]) -> Sequence[Evidence | Exception]:
        """Cameras may have different models: each looks at all of its pictures at once."""
        seen: dict[int, Evidence | Exception] = {}
        for model in {id(look.model): look.model for look in batch}.values():
            places = [place for place, look in enumerate(batch) if look.model is model]
            seen |= zip(places, _seen(model, [batch[place].prepared for place in places]), strict=True)
        return [seen[place] for place in range(len(batch))]


def _seen(model: Model, batch: Sequence[Prepared]) -> Sequence[Evidence | Exception]:
    try:
        return model.look(batch)
    except FramekeepError as error:  # no picture's failure
        return [error] * len(batch)
    except Exception as error:  # noqa: BLE001 - one picture's failure must not fail its neighbours
        return [error] if len(batch) == 1 else [_seen(model, [one])[0] for one in batch]


async def _in(executor: ThreadPoolExecutor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await asyncio.get_running_loop().run_in_executor(executor, lambda: work(*args, **kwargs))


def _nothing() -> None:
    return
