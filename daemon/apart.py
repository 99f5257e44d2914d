"""Work in processes apart: MozJPEG and libjpeg end theirs on some hostile pictures, and must not end ours.

One that works for too long on a picture ends itself. So that costs as little as a death.
"""

import asyncio
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from tempfile import TemporaryDirectory
from typing import ParamSpec, Self, TypeVar

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
        self._pool = _Pool(processes)

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
            return await asyncio.to_thread(lambda: _alone(self._max_seconds, whole))

    async def pulse(self) -> None:
        """Returns once a process has done something, or has died."""
        with suppress(BrokenProcessPool):
            await self._run(_nothing)

    def close(self) -> None:
        self._pool.close()

    async def _run(self, work: Callable[[], R]) -> R:
        """Raises BrokenProcessPool where a process died; there are new ones then."""
        pool = self._pool
        try:
            return await asyncio.wrap_future(pool.submit(work))
        except BrokenProcessPool:
            if pool is self._pool:
                self._pool = _Pool(self._processes)
                await asyncio.to_thread(pool.close)
            raise


class Apart:
    """One process apart, for whoever waits for its work. A context manager; the process begins with the first work."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pool = _Pool(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def run(self, work: Callable[[], R]) -> R:
        """What the work returns or raises. Raises Kept where it ended the process, or took too long."""
        started = time.monotonic()
        try:
            return self._pool.submit(partial(_within, self._seconds, work)).result()
        except BrokenProcessPool as error:
            self._pool.close()
            self._pool = _Pool(1)
            if time.monotonic() - started >= self._seconds:
                raise Kept(Reason.TOO_SLOW, f"longer than {self._seconds:g} seconds in a process apart") from error
            raise Kept(Reason.CRASHED) from error


def _alone(seconds: float, work: Callable[[], R]) -> R:
    with Apart(seconds) as apart:
        return apart.run(work)


class _Pool:
    """Processes with a folder for what libraries of theirs write, which goes with them, however they end."""

    def __init__(self, processes: int) -> None:
        self._folder = TemporaryDirectory(prefix="framekeep-apart-", ignore_cleanup_errors=True)
        self._executor = _executor(processes, self._folder.name)

    def submit(self, work: Callable[[], R]) -> Future[R]:
        return self._executor.submit(work)

    def close(self) -> None:
        self._executor.shutdown()
        self._folder.cleanup()


def _executor(processes: int, folder: str) -> ProcessPoolExecutor:
    # A fork server, since a process with threads must not fork; it loads once what all of them need.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["framekeep.jpeg.squeeze", __name__])
    return ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(folder,))


def _within(seconds: float, work: Callable[[], R]) -> R:
    """An alarm that nobody handles ends the process: nothing else stops a loop in a library."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _nothing() -> None:
    return


def _begin(folder: str) -> None:
    """In each process. A terminal's Ctrl-C reaches all, but what is in flight is to be finished.

    A killed parent says nothing.
    """
    tempfile.tempdir = folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent := multiprocessing.parent_process():  # the fork server may be from before a reload
        be_nice(os.getpriority(os.PRIO_PROCESS, parent.pid or 0))
    threading.Thread(target=_end_with_the_parent, args=(folder,), daemon=True).start()


def _end_with_the_parent(folder: str) -> None:
    """A killed parent cleans nothing up."""
    if parent := multiprocessing.parent_process():
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)
