"""What an operating system's error means for the picture that it happened to."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from framekeep.reasons import Kept, Reason

_REASONS: Final = {
    errno.ENOENT: Reason.GONE,
    errno.ENOTDIR: Reason.GONE,
    errno.ESTALE: Reason.GONE,  # deleted by another machine
    errno.EBUSY: Reason.UNSETTLED,  # open on another machine (SMB)
    errno.ELOOP: Reason.SYMLINK,
    errno.ENXIO: Reason.NOT_A_FILE,
    errno.EISDIR: Reason.NOT_A_FILE,
    errno.ENOSPC: Reason.NO_SPACE,
    errno.EDQUOT: Reason.NO_SPACE,
    errno.EPERM: Reason.NOT_PERMITTED,
    errno.EACCES: Reason.NOT_PERMITTED,
    errno.EROFS: Reason.NOT_PERMITTED,
    errno.ENOTSUP: Reason.NOT_PERMITTED,
    errno.ENOSYS: Reason.NO_EXCHANGE,
    errno.EINVAL: Reason.NO_EXCHANGE,
    errno.EXDEV: Reason.NO_EXCHANGE,
}


@contextmanager
def keeping(otherwise: Reason = Reason.ERROR, **special: Reason) -> Iterator[None]:
    """Turns an OSError into Kept: `special` by errno name first (EACCES=…), the table above next, `otherwise` last."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "")
        reason = special.get(name) or _REASONS.get(error.errno or 0, otherwise)
        raise Kept(reason, f"{error.strerror or error}") from error
