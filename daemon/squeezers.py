"""Processes that squeeze originals: MozJPEG ends its whole process on some hostile pictures, which must not be ours.

One that works for too long on a picture ends itself. So that costs as little as a death: the picture is not squeezed.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

from daemon.niceness import be_nice
from framekeep.jpeg.squeeze import squeeze, squeeze_apart

P = ParamSpec("P")
R = TypeVar("R")


class SqueezerPool:
    """Long-lived processes; when one dies, the pictures that were in them are tried again, each in one of its own."""

    def __init__(self, processes: int, max_seconds: float) -> None:
        self._processes = processes
        self._max_seconds = max_seconds
        self._pool = self._fresh()

    async def squeeze(self, data: bytes) -> bytes | None:
        """The file repacked; None where that cannot be done. Only a picture alone in its process is held guilty."""
        try:
            return await self._run(_squeeze_within, self._max_seconds, data)
        except ValueError:
            return None
        except BrokenProcessPool:
            return await asyncio.to_thread(squeeze_apart, data, self._max_seconds)

    async def pulse(self) -> None:
        """Returns once a process has done something, or has died."""
        with suppress(BrokenProcessPool):
            await self._run(_nothing)

    def close(self) -> None:
        self._pool.shutdown()

    async def _run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Raises BrokenProcessPool where a process died; there are new ones then."""
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, partial(work, *args, **kwargs))
        except BrokenProcessPool:
            if pool is self._pool:
                pool.shutdown(wait=False)
                self._pool = self._fresh()
            raise

    def _fresh(self) -> ProcessPoolExecutor:
        # A fork server, since a process with threads must not fork; it loads the squeezer once for all of them.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["framekeep.jpeg.squeeze"])
        return ProcessPoolExecutor(self._processes, context, initializer=_follow_the_parent)


def _squeeze_within(seconds: float, data: bytes) -> bytes:
    """An alarm that nobody handles ends the process: nothing else stops a loop in a library."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return squeeze(data)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _nothing() -> None:
    return


def _follow_the_parent() -> None:
    """A terminal's Ctrl-C reaches all, but what is in flight is to be finished. A killed parent says nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent := multiprocessing.parent_process():  # the fork server may be from before a reload
        be_nice(os.getpriority(os.PRIO_PROCESS, parent.pid or 0))
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
