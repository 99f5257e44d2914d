"""On which filesystem a path lies."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_REMOTE: Final = frozenset({"9p", "afs", "ceph", "cifs", "gfs2", "lustre", "nfs", "nfs4", "ocfs2", "smb3", "virtiofs"})


def filesystem_of(path: Path, mounts: Path = _MOUNTS) -> str:
    """The type of the filesystem that a path lies on ("ext4"); "unknown" where the kernel does not tell.

    Mount points are asked rather than device numbers, which btrfs makes up for each subvolume.
    """
    resolved = path.resolve()
    depth, found = 0, "unknown"
    for point, kind in _mounted(mounts):
        if resolved.is_relative_to(point) and len(point.parts) >= depth:  # of two on one point the later is seen
            depth, found = len(point.parts), kind
    return found


def is_remote(kind: str) -> bool:
    """Whether others can write to such a filesystem behind this machine's back, so that inotify hears nothing."""
    return kind in _REMOTE or kind.startswith("fuse")


def _mounted(mounts: Path) -> Iterator[tuple[Path, str]]:
    """Mount points with their filesystems, as proc(5) has them: six fields, optional ones, a dash, and the type."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        fields, _, rest = line.partition(b" - ")
        yield Path(os.fsdecode(_unescaped(fields.split()[4]))), rest.split()[0].decode()


def _unescaped(name: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), name)
