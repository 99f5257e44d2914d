"""Processes that squeeze originals: MozJPEG ends its whole process on some hostile pictures, which must not be ours."""

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from framekeep.jpeg.squeeze import squeeze, squeeze_apart


class SqueezerPool:
    """Long-lived processes; when one dies, the pictures that were in them are tried again, each in one of its own."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool = self._fresh()

    async def squeeze(self, data: bytes) -> bytes | None:
        """The file repacked; None where that cannot be done. Only a picture alone in its process is held guilty."""
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, squeeze, data)
        except ValueError:
            return None
        except BrokenProcessPool:
            if pool is self._pool:
                pool.shutdown(wait=False)
                self._pool = self._fresh()
            return await asyncio.to_thread(squeeze_apart, data)

    def close(self) -> None:
        self._pool.shutdown()

    def _fresh(self) -> ProcessPoolExecutor:
        # A fork server, since a process with threads must not fork; it loads the squeezer once for all of them.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["framekeep.jpeg.squeeze"])
        return ProcessPoolExecutor(self._processes, context, initializer=_follow_the_parent)


def _follow_the_parent() -> None:
    """A terminal's Ctrl-C reaches all, but what is in flight is to be finished. A killed parent says nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
