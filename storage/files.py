"""What tells one file from another, and one state of a file from the next."""

import os
from dataclasses import dataclass
from typing import Self

Inode = tuple[int, int]
"""A file's device and its number there: folders below a root may lie on other filesystems, which count on their own."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A file's size in bytes, its times in nanoseconds since 1970, and its inode number."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def same_content_as(self, other: Self) -> bool:
        """Whether nothing suggests another content. A rename changes ctime, so ctime is not asked here."""
        return (self.size, self.mtime_ns, self.inode) == (other.size, other.mtime_ns, other.inode)


def inode_of(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino


def inode_at(folder: int, name: str) -> Inode | None:
    """None where nothing is there. Raises OSError."""
    try:
        return inode_of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None
