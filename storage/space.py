"""How much of a filesystem is free, asked often and cheaply."""

import math
import os
from collections.abc import Callable
from typing import Final

from storage.root import Root

_SECONDS: Final = 1.0
"""How old an answer may be."""


class FreeSpace:
    """Whether there is less free space than `floor_bytes` where a root lies. `clock` counts seconds."""

    def __init__(self, floor_bytes: int, clock: Callable[[], float]) -> None:
        self._floor = floor_bytes
        self._clock = clock
        self._known: dict[str, tuple[float, int]] = {}

    def is_low(self, root: Root) -> bool:
        """Raises OSError."""
        return self.bytes(root) < self._floor

    def bytes(self, root: Root) -> int:
        """What this user may still fill. Raises OSError."""
        now = self._clock()
        asked, free = self._known.get(root.path, (-math.inf, 0))
        if now - asked >= _SECONDS:
            free = free_bytes(root.descriptor)
            self._known[root.path] = (now, free)
        return free


def free_bytes(descriptor: int) -> int:
    """Of the filesystem that an open folder lies on. Raises OSError."""
    status = os.fstatvfs(descriptor)
    return status.f_bavail * status.f_frsize
