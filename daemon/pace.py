"""How fast bytes may go to and from the disks."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_SAVED: Final = 1.0
"""Seconds of unused time that may be caught up: a night without work is no licence to take the disk for an hour."""


class Pace:
    """Says how long to wait for bytes, so that over time no more than so many go a second. Belongs to one thread."""

    def __init__(self, bytes_per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes_per_second = bytes_per_second
        self._clock = clock
        self._free_at = clock()
        """When all that was let through is done at this pace."""

    def delay(self, size: int) -> float:
        """Seconds to wait for these bytes, which count as let through from now on."""
        now = self._clock()
        self._free_at = max(self._free_at, now - _SAVED) + size / self._bytes_per_second
        return max(0.0, self._free_at - now)


class Bandwidth:
    """What all pictures in flight share of a pace. Belongs to one event loop."""

    def __init__(self, bytes_per_second: float) -> None:
        """0: there is no limit."""
        self._pace = Pace(bytes_per_second) if bytes_per_second else None
        self._lifted = asyncio.Event()

    async def spend(self, size: int) -> None:
        """Returns when so many bytes may be read or written."""
        delay = self._pace.delay(size) if self._pace else 0.0
        if delay:
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._lifted.wait()

    def lift(self) -> None:
        """Nobody waits from now on: the end has come, and what is in flight is to be done soon."""
        self._lifted.set()
