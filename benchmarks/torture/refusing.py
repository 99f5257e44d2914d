"""A kernel that answers one thread as filesystems do that can do less: seccomp(2) refuses system calls by number.

The thread cannot get rid of it again; threads and processes that it starts inherit it. Files stay on the real disk.
"""

import ctypes
import errno
import fcntl
import platform
import struct
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

_CALLS: Final[Mapping[str, Mapping[str, int]]] = {
    "x86_64": {"renameat2": 316, "linkat": 265, "fsetxattr": 190, "fcntl": 72},
    "aarch64": {"renameat2": 276, "linkat": 37, "fsetxattr": 7, "fcntl": 25},
}
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARGUMENTS = 0, 16
"""Where struct seccomp_data holds them."""
_EXCHANGE, _NOREPLACE = 2, 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """Calls of this name whose argument has any of these bits (or is this very value) fail with this errno."""

    call: str
    error: int
    argument: int = 0
    bits: int = 0
    value: int = 0


_NO_MARKS: Final = Refusal("fsetxattr", errno.EOPNOTSUPP)
FILESYSTEMS: Final[Mapping[str, tuple[Refusal, ...]]] = {
    "exfat": (
        Refusal("renameat2", errno.EINVAL, argument=4, bits=_EXCHANGE),
        Refusal("linkat", errno.EPERM),
        _NO_MARKS,
    ),
    "nfs": (
        Refusal("renameat2", errno.EINVAL, argument=4, bits=_EXCHANGE | _NOREPLACE),
        Refusal("fcntl", errno.EINVAL, argument=1, value=fcntl.F_SETLEASE),
        _NO_MARKS,
    ),
    "neither": (
        Refusal("renameat2", errno.EINVAL, argument=4, bits=_EXCHANGE | _NOREPLACE),
        Refusal("linkat", errno.EPERM),
        _NO_MARKS,
    ),
}
"""exFAT; NFS of version 3; one that can move no file without replacing another."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def possible() -> bool:
    """Whether this machine lets a thread filter its own calls."""
    if platform.machine() not in _CALLS:
        return False
    try:
        on("exfat", lambda: None)
    except OSError:
        return False
    return True


def on(filesystem: str, work: Callable[[], T]) -> T:
    """Does the work in a thread of its own, for which all is on such a filesystem. Raises what the work raises."""

    def refused() -> T:
        refuse(filesystem)
        return work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(refused).result()


def refuse(filesystem: str) -> None:
    """From now on this thread is on such a filesystem. Raises OSError where seccomp is not to be had."""
    calls = _CALLS[platform.machine()]
    code = b"".join(
        instruction for refusal in FILESYSTEMS[filesystem] for instruction in _instructions(refusal, calls)
    ) + _instruction(_RETURN, _ALLOW)
    program = _Program(len(code) // 8, code)
    _prctl(_NO_NEW_PRIVS, 1, 0)
    _prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program))


def _instructions(refusal: Refusal, calls: Mapping[str, int]) -> Iterator[bytes]:
    """Each jump says how many instructions are passed over where it holds, and where not."""
    yield _instruction(_LOAD, _NUMBER)
    yield _instruction(_EQUAL, calls[refusal.call], otherwise=3 if refusal.argument else 1)
    if refusal.argument:
        yield _instruction(_LOAD, _ARGUMENTS + 8 * refusal.argument)
        test, against = (_ANY_BIT, refusal.bits) if refusal.bits else (_EQUAL, refusal.value)
        yield _instruction(test, against, otherwise=1)
    yield _instruction(_RETURN, _ERRNO | refusal.error)


def _instruction(code: int, operand: int, *, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, 0, otherwise, operand)


def _prctl(option: int, first: int, second: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, first, second, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp is not to be had")
