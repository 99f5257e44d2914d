"""Linux's file leases (fcntl(2), F_SETLEASE): whether somebody has a file open for writing at this moment."""

import ctypes
import errno
import fcntl
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from framekeep.reasons import Kept, Reason

_UNKNOWN: Final = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.ENOLCK}
"""Not ours to lease (without CAP_LEASE), or a filesystem without leases: nothing can be told."""
_OF_SERVERS: Final = {0x6969, 0xFF534D42, 0xFE534D42}
"""NFS, CIFS and SMB2 in statfs(2): they lease what their server has delegated to them, and refuse all else likewise."""


@contextmanager
def no_writer(descriptor: int) -> Iterator[Callable[[], bool]]:
    """While this lasts nobody has the file open for writing; who wants to open it so waits.

    Yields the question whether somebody waits: the file that he opened is this one, wherever it will be by then.
    `descriptor` is open for reading. Raises Kept where somebody has it open. Where leases cannot be had, nothing is
    checked: the hash after the exchange, and the one at the release, find what a writer changed.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # ignored by default; a SIGIO would end the process
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN and _filesystem(descriptor) not in _OF_SERVERS:
            raise Kept(Reason.UNSETTLED, "somebody has the file open for writing") from None
        if error.errno not in {*_UNKNOWN, errno.EAGAIN}:
            raise
        yield lambda: False
        return
    try:
        yield lambda: fcntl.fcntl(descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK
    finally:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def _filesystem(descriptor: int) -> int:
    """Its number in statfs(2), which Python does not have; 0 where the kernel does not tell."""
    fields = (ctypes.c_long * 64)()  # more than it needs
    if ctypes.CDLL(None).fstatfs(descriptor, fields) != 0:
        return 0
    return fields[0] & 0xFFFFFFFF
