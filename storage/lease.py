"""Linux's file leases (fcntl(2), F_SETLEASE): whether somebody has a file open for writing at this moment."""

import errno
import fcntl
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from framekeep.reasons import Kept, Reason

_UNKNOWN: Final = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.ENOLCK}
"""Not ours to lease (without CAP_LEASE), or a filesystem without leases: nothing can be told."""


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
        if error.errno == errno.EAGAIN:
            raise Kept(Reason.UNSETTLED, "somebody has the file open for writing") from None
        if error.errno not in _UNKNOWN:
            raise
        yield lambda: False
        return
    try:
        yield lambda: fcntl.fcntl(descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK
    finally:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
