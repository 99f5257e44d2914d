"""One open, one read: a picture's bytes together with what was true of the file while they were read."""

import errno
import hashlib
import os
import stat
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from framekeep.reasons import Kept, Reason
from storage.attribute import Mark, read_mark
from storage.faults import keeping
from storage.files import FileIdentity
from storage.root import Tree

_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK: a FIFO with a picture's name must not stop anybody."""
_NO_FILE: Final = {errno.ELOOP, errno.ENXIO}
"""A link, or a socket."""
_GONE: Final = {errno.ENOENT, errno.ENOTDIR}


@dataclass(frozen=True, slots=True)
class Picture:
    """A file's whole content, as it was while nothing changed it."""

    data: bytes
    sha256: bytes
    identity: FileIdentity
    mark: Mark | None

    @property
    def is_marked(self) -> bool:
        """Whether framekeep's own mark lies on exactly these bytes."""
        return self.mark is not None and self.mark.variant == self.sha256


def open_picture(folder: int, name: str, *, quietly: bool = False) -> int:
    """An open descriptor of a regular file with one name. Raises Kept and OSError.

    `quietly`: reading it leaves its time of access, where that is allowed.
    """
    descriptor = _opened_quietly(folder, name) if quietly else os.open(name, _FLAGS, dir_fd=folder)
    try:
        _check(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _opened_quietly(folder: int, name: str) -> int:
    try:
        return os.open(name, _FLAGS | os.O_NOATIME, dir_fd=folder)
    except PermissionError:  # only a file's owner may ask for that
        return os.open(name, _FLAGS, dir_fd=folder)


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Kept(Reason.NOT_A_FILE)
    if status.st_nlink > 1:
        raise Kept(Reason.HARD_LINKED, f"{status.st_nlink} names")


def read(root: Tree, path: str, max_bytes: int, *, quietly: bool = False) -> Picture:
    """Reads a picture of the root without following any link; `quietly` as `open_picture` has it. Raises Kept."""
    with keeping(Reason.UNREADABLE, EACCES=Reason.UNREADABLE, EPERM=Reason.UNREADABLE), root.folder_of(path) as place:
        descriptor = open_picture(*place, quietly=quietly)
        try:
            return _read(descriptor, max_bytes)
        finally:
            os.close(descriptor)


def _read(descriptor: int, max_bytes: int) -> Picture:
    identity = FileIdentity.of(os.fstat(descriptor))
    if identity.size > max_bytes:
        raise Kept(Reason.TOO_LARGE, f"{identity.size} bytes")
    data = read_whole(descriptor, identity.size)
    if len(data) != identity.size or FileIdentity.of(os.fstat(descriptor)) != identity:
        raise Kept(Reason.UNSETTLED)
    return Picture(data, hashlib.sha256(data).digest(), identity, read_mark(descriptor))


def read_whole(descriptor: int, size: int) -> bytes:
    """The open file's bytes from its start; at most one more than `size`, so that growth shows."""
    with os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
        file.seek(0)
        parts = []
        left = size + 1
        while left and (part := file.read(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


def mark_at(root: Tree, path: str) -> Mark | None:
    """The mark of a picture, whatever its bytes are by now; None where there is none, or no readable picture."""
    try:
        with root.folder_of(path) as place:
            descriptor = open_picture(*place)
    except (OSError, Kept):
        return None
    try:
        return read_mark(descriptor)
    finally:
        os.close(descriptor)


def trace_at(root: Tree, path: str, sizes: Container[int]) -> Mark | bytes | None:
    """What tells which variant a file is or was, however many names it has, wherever it was moved.

    Its mark, whatever its bytes are by now; of a file without one that has one of these sizes, its SHA-256; else None.
    Raises OSError for a file that is there and cannot be read.
    """
    try:
        with root.folder_of(path) as (folder, name):
            descriptor = os.open(name, _FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno in _GONE | _NO_FILE:
            return None
        raise
    try:
        size = os.fstat(descriptor).st_size
        return read_mark(descriptor) or (_digest(descriptor, size) if size in sizes else None)
    finally:
        os.close(descriptor)


def digest_at(folder: int, name: str) -> bytes | None:
    """The SHA-256 of a regular file; None where nothing is there, and empty for what is no regular file.

    Raises OSError for one that cannot be read: nothing may be decided by what is not known.
    """
    try:
        descriptor = open_picture(folder, name)
    except FileNotFoundError:
        return None
    except Kept:
        return b""
    except OSError as error:
        if error.errno in _NO_FILE:
            return b""
        raise
    try:
        return _digest(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _digest(descriptor: int, size: int) -> bytes:
    return hashlib.sha256(read_whole(descriptor, size)).digest()
