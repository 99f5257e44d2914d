"""Work in processes apart: MozJPEG and libjpeg end theirs on some hostile pictures, and must not end ours.

One that works for too long on a picture ends itself. So that costs as little as a death.
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
from framekeep.jpeg.squeeze import squeeze
from framekeep.reasons import Kept, Reason

P = ParamSpec("P")
R = TypeVar("R")


class ProcessesApart:
    """Long-lived processes; when one dies, the pictures that were in them are tried again, each in one of its own."""

    def __init__(self, processes: int, max_seconds: float) -> None:
        self._processes = processes
        self._max_seconds = max_seconds
        self._pool = _pool(processes)

    async def squeeze(self, data: bytes) -> bytes | None:
        """The file repacked; None where that cannot be done."""
        try:
            return await self.run(squeeze, data)
        except (ValueError, Kept):
            return None

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the work returns or raises.

        Raises Kept where it ended its process or took too long: only a picture alone in its process is held guilty.
        """
        whole = partial(work, *args, **kwargs)
        try:
            return await self._run(partial(_within, self._max_seconds, whole))
        except BrokenProcessPool:
            return await asyncio.to_thread(lambda: alone(self._max_seconds, whole))

    async def pulse(self) -> None:
        """Returns once a process has done something, or has died."""
        with suppress(BrokenProcessPool):
            await self._run(_nothing)

    def close(self) -> None:
        self._pool.shutdown()

    async def _run(self, work: Callable[[], R]) -> R:
        """Raises BrokenProcessPool where a process died; there are new ones then."""
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except BrokenProcessPool:
            if pool is self._pool:
                pool.shutdown(wait=False)
                self._pool = _pool(self._processes)
            raise


def alone(seconds: float, work: Callable[[], R]) -> R:
    """What the work returns or raises in a process of its own. Raises Kept where it ended that, or took too long."""
    with _pool(1) as pool:
        try:
            return pool.submit(partial(_within, seconds, work)).result()
        except BrokenProcessPool as error:
            raise Kept(Reason.ERROR, "working on it ended a process of its own, or took too long") from error


def _pool(processes: int) -> ProcessPoolExecutor:
    # A fork server, since a process with threads must not fork; it loads the squeezer once for all of them.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["framekeep.jpeg.squeeze"])
    return ProcessPoolExecutor(processes, context, initializer=_follow_the_parent)


def _within(seconds: float, work: Callable[[], R]) -> R:
    """An alarm that nobody handles ends the process: nothing else stops a loop in a library."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return work()
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
