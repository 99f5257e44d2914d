"""Linux's renameat2(2), which Python does not have: exchange two names in one step, or move without replacing."""

import ctypes
import errno
import os
from typing import Final

_NOREPLACE: Final = 1
_EXCHANGE: Final = 2


def exchange(folder_a: int, name_a: str, folder_b: int, name_b: str) -> None:
    """Swaps what the two names stand for, atomically. Both must exist. Raises OSError."""
    _renameat2(folder_a, name_a, folder_b, name_b, _EXCHANGE)


def move(folder_a: int, name_a: str, folder_b: int, name_b: str) -> None:
    """Renames; raises FileExistsError where the second name is taken, and OSError."""
    _renameat2(folder_a, name_a, folder_b, name_b, _NOREPLACE)


def _renameat2(folder_a: int, name_a: str, folder_b: int, name_b: str, flags: int) -> None:
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        raise OSError(errno.ENOSYS, "this C library has no renameat2", name_a)
    if call(folder_a, os.fsencode(name_a), folder_b, os.fsencode(name_b), ctypes.c_uint(flags)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name_a, None, name_b)
