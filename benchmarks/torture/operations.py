"""From the system calls of a process to what they ask of a disk."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.torture.attaching import Call
from benchmarks.torture.disk import FORGOTTEN, Cutting, Disk, Marking, Naming, Operation, Syncing, Writing

TOPS: Final = ("incoming", "var")
"""What counts below a site's folder."""


def delivering(disk: Disk, path: str, content: bytes) -> Iterator[Operation]:
    """A camera puts a whole picture in the place of another, and sees to it that it is on the disk."""
    inode = disk.fresh(folder=False)
    binding = _binding(disk, path, inode)
    for operation in (Writing(inode, 0, content), Syncing(inode), Naming((binding,)), Syncing(binding[0])):
        disk.apply(operation)
        yield operation


def operations(disk: Disk, folder: Path, calls: Iterable[Call]) -> Iterator[Operation]:
    """What the calls did, while `disk` follows them as the process saw it."""
    for call in calls:
        paths = [os.path.relpath(path, folder) for path in call.paths]
        understand = _KINDS.get(call.name)
        if understand and call.result[:1].isdigit() and all(map(_counts, paths)):
            for operation in understand(disk, call, paths):
                disk.apply(operation)
                yield operation


def _counts(path: str) -> bool:
    return path.split("/", 1)[0] in {*TOPS, "."} and not path.endswith(FORGOTTEN)


def _opened(disk: Disk, call: Call, paths: list[str]) -> Iterator[Operation]:
    inode = disk.inode(paths[0])
    if inode is None:
        yield Naming((_binding(disk, paths[0], disk.fresh(folder=False)),))
    elif "O_TRUNC" in call.arguments:
        yield Cutting(inode, 0)


def _made(disk: Disk, _call: Call, paths: list[str]) -> Iterator[Operation]:
    yield Naming((_binding(disk, paths[0], disk.fresh(folder=True)),))


def _written(disk: Disk, call: Call, paths: list[str]) -> Iterator[Operation]:
    """Nothing here writes but behind what is there."""
    inode = _inode(disk, paths[0])
    yield Writing(inode, len(disk.contents[inode].data), call.strings[0][: _number(call.result)])


def _written_at(disk: Disk, call: Call, paths: list[str]) -> Iterator[Operation]:
    offset = _number(call.arguments.rpartition(", ")[2])
    yield Writing(_inode(disk, paths[0]), offset, call.strings[0][: _number(call.result)])


def _cut(disk: Disk, call: Call, paths: list[str]) -> Iterator[Operation]:
    yield Cutting(_inode(disk, paths[0]), _number(call.arguments.rpartition(", ")[2]))


def _marked(disk: Disk, call: Call, paths: list[str]) -> Iterator[Operation]:
    name, value = call.strings
    yield Marking(_inode(disk, paths[0]), os.fsdecode(name), value)


def _renamed(disk: Disk, call: Call, paths: list[str]) -> Iterator[Operation]:
    source, target = paths
    comes_back = disk.inode(target) if "RENAME_EXCHANGE" in call.arguments else None
    yield Naming((_binding(disk, target, _inode(disk, source)), _binding(disk, source, comes_back)))


def _linked(disk: Disk, _call: Call, paths: list[str]) -> Iterator[Operation]:
    source, target = paths
    yield Naming((_binding(disk, target, _inode(disk, source)),))


def _unlinked(disk: Disk, _call: Call, paths: list[str]) -> Iterator[Operation]:
    yield Naming((_binding(disk, paths[0], None),))


def _synced(disk: Disk, _call: Call, paths: list[str]) -> Iterator[Operation]:
    yield Syncing(_inode(disk, paths[0]))


_KINDS: Final[dict[str, Callable[[Disk, Call, list[str]], Iterator[Operation]]]] = {
    "openat": _opened,
    "mkdir": _made,
    "mkdirat": _made,
    "write": _written,
    "pwrite64": _written_at,
    "ftruncate": _cut,
    "fsetxattr": _marked,
    "rename": _renamed,
    "renameat": _renamed,
    "renameat2": _renamed,
    "linkat": _linked,
    "unlink": _unlinked,
    "unlinkat": _unlinked,
    "fsync": _synced,
    "fdatasync": _synced,
}


def _binding(disk: Disk, path: str, inode: int | None) -> tuple[int, str, int | None]:
    folder, name = os.path.split(path)
    return _inode(disk, folder), name, inode


def _inode(disk: Disk, path: str) -> int:
    """Of what must be there. Raises ValueError where the calls before were misunderstood."""
    inode = disk.inode(path)
    if inode is None:
        raise ValueError(f"a call about {path}, which is not there")
    return inode


def _number(text: str) -> int:
    return int(text.split(maxsplit=1)[0])
