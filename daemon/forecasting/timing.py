"""What a sweep would need for a picture, in seconds: what its codec computes is divided among all processors."""

import os
import time
from collections.abc import Awaitable
from typing import TypeVar

R = TypeVar("R")


def divided(seconds: float) -> float:
    """The codec's work on one picture: a sweep works on as many others meanwhile as there are processors."""
    return seconds / len(os.sched_getaffinity(0))


def computed_since(start: float) -> float:
    """What this thread has computed since a `time.thread_time()`, divided."""
    return divided(time.thread_time() - start)


async def alone(work: Awaitable[R]) -> tuple[R, float]:
    """The codec's work while nothing else is done, and its divided seconds."""
    start = time.perf_counter()
    done = await work
    return done, divided(time.perf_counter() - start)
