"""What a process asks of a disk: names, contents, attributes, and that they be there after a power cut."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = 0
"""The inode of the folder below which everything is."""
FORGOTTEN: Final = "-shm"
"""SQLite's index of its log, which is made anew after a crash; it is written through a mapping, unseen by strace."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Names that come to stand for other inodes (None: for nothing), in one step."""

    bindings: tuple[tuple[int, str, int | None], ...]

    @property
    def folders(self) -> set[int]:
        return {folder for folder, _, _ in self.bindings}

    def bind(self, names: dict[tuple[int, str], int]) -> None:
        for folder, name, inode in self.bindings:
            names.pop((folder, name), None)
            if inode is not None:
                names[folder, name] = inode


@dataclass(frozen=True, slots=True)
class Writing:
    inode: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cutting:
    inode: int
    size: int


@dataclass(frozen=True, slots=True)
class Marking:
    """An extended attribute."""

    inode: int
    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Syncing:
    """What was done to this inode before is on the disk now; for a folder, what was done to the names in it."""

    inode: int


Change = Writing | Cutting | Marking
Operation = Naming | Change | Syncing


@dataclass(slots=True)
class Content:
    """A file's bytes and extended attributes."""

    data: bytes = b""
    marks: dict[str, bytes] = field(default_factory=dict)

    def changed(self, change: Change) -> "Content":
        match change:
            case Writing(_, offset, data):
                before = self.data.ljust(offset, b"\0")
                return Content(before[:offset] + data + before[offset + len(data) :], self.marks)
            case Cutting(_, size):
                return Content(self.data[:size].ljust(size, b"\0"), self.marks)
            case Marking(_, name, value):
                return Content(self.data, {**self.marks, name: value})


@dataclass(slots=True)
class Disk:
    """Names by folder's inode, contents by inode: either what a process sees, or what a power cut leaves."""

    names: dict[tuple[int, str], int] = field(default_factory=dict)
    folders: set[int] = field(default_factory=lambda: {ROOT})
    contents: dict[int, Content] = field(default_factory=dict)

    @classmethod
    def below(cls, folder: Path, tops: Iterable[str]) -> "Disk":
        """A copy of what is there, below these names in the folder; all of it on the disk."""
        disk = cls()
        for top in tops:
            if (folder / top).exists():
                disk._take(ROOT, folder / top)
        return disk

    def inode(self, path: str) -> int | None:
        """Of a path relative to the folder; None where nothing is there."""
        found: int | None = ROOT
        for part in [part for part in path.split("/") if part not in {"", "."}]:
            found = None if found is None else self.names.get((found, part))
        return found

    def fresh(self, *, folder: bool, content: Content | None = None) -> int:
        """The number of an inode that has no name yet."""
        inode = 1 + max(self.folders | self.contents.keys())
        if folder:
            self.folders.add(inode)
        else:
            self.contents[inode] = content or Content()
        return inode

    def apply(self, operation: Operation) -> None:
        match operation:
            case Naming():
                operation.bind(self.names)
            case Writing() | Cutting() | Marking():
                self.contents[operation.inode] = self.contents[operation.inode].changed(operation)

    def write_to(self, folder: Path) -> None:
        """Makes it real: what has a name, below an empty folder."""
        self._write(ROOT, folder, {})

    def _write(self, inode: int, folder: Path, written: dict[int, Path]) -> None:
        for (parent, name), inner in self.names.items():
            if parent != inode:
                continue
            path = folder / name
            if inner in self.folders:
                path.mkdir(mode=0o700)
                self._write(inner, path, written)
            elif inner in written:
                path.hardlink_to(written[inner])
            else:
                written[inner] = path
                path.write_bytes(self.contents[inner].data)
                for mark, value in self.contents[inner].marks.items():
                    os.setxattr(path, mark, value)

    def copy(self) -> "Disk":
        return Disk(dict(self.names), set(self.folders), dict(self.contents))

    def _take(self, parent: int, path: Path) -> None:
        if path.name.endswith(FORGOTTEN):
            return
        if path.is_dir():
            inode = self.fresh(folder=True)
            for inner in path.iterdir():
                self._take(inode, inner)
        else:
            marks = {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith("user.")}
            inode = self.fresh(folder=False, content=Content(path.read_bytes(), marks))
        self.names[parent, path.name] = inode
