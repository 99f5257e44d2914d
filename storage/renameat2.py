"""Linux's renameat2(2), which Python does not have: exchange two names in one step, or move without replacing.

Some filesystems cannot exchange (exfat), others know neither (NFS). Moving without replacing works there too: the file
gets its second name, which link(2) refuses where that is taken, and loses its first when the second is durable. A crash
in between leaves both names; the same move, done again, ends that.
"""

import ctypes
import errno
import os
import stat
from typing import Final

UNKNOWN: Final = frozenset((errno.EINVAL, errno.ENOSYS, errno.ENOTSUP))
"""What a filesystem or a kernel answers that knows no such thing."""

_NOREPLACE: Final = 1
_EXCHANGE: Final = 2
_TAKEN: Final = frozenset((errno.ENOTDIR, errno.ENOTEMPTY))


def exchange(folder_a: int, name_a: str, folder_b: int, name_b: str) -> None:
    """Swaps what the two names stand for, atomically. Both must exist. Raises OSError."""
    _renameat2(folder_a, name_a, folder_b, name_b, _EXCHANGE)


def move(folder_a: int, name_a: str, folder_b: int, name_b: str) -> None:
    """Renames; raises FileExistsError where the second name is taken, and OSError.

    The first folder is framekeep's own: what stands there under the first name is still the same after the link.
    """
    try:
        _renameat2(folder_a, name_a, folder_b, name_b, _NOREPLACE)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        _move_by_link(folder_a, name_a, folder_b, name_b)


def take(folder_a: int, name_a: str, own: int, name_b: str) -> None:
    """The same from anywhere into one of framekeep's own folders. Nobody else makes names there, so a look is enough.

    Where renames know no flags, this takes whatever stands under the first name in one step, as a link would not.
    """
    try:
        _renameat2(folder_a, name_a, own, name_b, _NOREPLACE)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        if _is_there(own, name_b):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name_a, None, name_b) from None
        os.rename(name_a, name_b, src_dir_fd=folder_a, dst_dir_fd=own)


def _move_by_link(folder_a: int, name_a: str, folder_b: int, name_b: str) -> None:
    status = os.stat(name_a, dir_fd=folder_a, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        _move_folder(folder_a, name_a, folder_b, name_b)
        return
    try:
        os.link(name_a, name_b, src_dir_fd=folder_a, dst_dir_fd=folder_b, follow_symlinks=False)
    except FileExistsError:
        if not os.path.samestat(status, os.stat(name_b, dir_fd=folder_b, follow_symlinks=False)):
            raise
    os.fsync(folder_b)
    os.unlink(name_a, dir_fd=folder_a)


def _move_folder(folder_a: int, name_a: str, folder_b: int, name_b: str) -> None:
    """A folder has no second name, but its rename never replaces a file, or a folder that holds anything."""
    try:
        os.rename(name_a, name_b, src_dir_fd=folder_a, dst_dir_fd=folder_b)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name_a, None, name_b) from error


def _is_there(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _renameat2(folder_a: int, name_a: str, folder_b: int, name_b: str, flags: int) -> None:
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        raise OSError(errno.ENOSYS, "this C library has no renameat2", name_a)
    if call(folder_a, os.fsencode(name_a), folder_b, os.fsencode(name_b), ctypes.c_uint(flags)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name_a, None, name_b)
