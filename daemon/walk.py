"""A walk over the pictures that lie below a watched root, by descriptors, so that no link is ever followed."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from daemon.names import NameFilter

CHUNK: Final = 1000
"""The most files that one list holds."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CHANGED: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""Vanished, or became a file or a link, since its name was read: nothing to tell."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """A name that the filter takes for a picture: a file, a symbolic link, or something odd (a socket, say)."""

    path: str
    """Relative to the root; bytes that are not UTF-8 are surrogate-escaped."""
    status: os.stat_result
    """Of the name itself: a link is not followed."""


class PassedOver(StrEnum):
    """What a walk leaves out and an administrator wants to know of."""

    UNREADABLE = "unreadable"
    OTHER_FILESYSTEM = "other_filesystem"
    """A mount below the root: no rename reaches from there into the root's own folder."""


@dataclass(frozen=True, slots=True)
class _Tree:
    root: str
    descriptor: int
    device: int
    names: NameFilter
    passed_over: Counter[PassedOver]


def walk(
    root: str, names: NameFilter, below: str = "", passed_over: Counter[PassedOver] | None = None
) -> Iterator[list[Found]]:
    """The pictures of a root, or of one folder or file below it, in no special order: a list or more for each folder.

    Holds one folder's descriptor and at most CHUNK files at a time. What cannot be read, and what is mounted from
    another filesystem, is logged and counted in `passed_over`, and the walk goes on. A path that is not there gives
    nothing. Raises ValueError for a `below` that holds "..".
    """
    parts = [part for part in below.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise ValueError(f"{below!r} may lead out of {root!r}; name a path below it without '..'")
    return _walk(root, names, "/".join(parts), Counter() if passed_over is None else passed_over)


def _walk(root: str, names: NameFilter, below: str, passed_over: Counter[PassedOver]) -> Iterator[list[Found]]:
    with ExitStack() as opened:
        try:
            descriptor = os.open(root, _FOLDER)  # the root itself may be a link: the administrator named it
            opened.callback(os.close, descriptor)
            device = os.fstat(descriptor).st_dev
        except OSError as error:
            pass_over(root, "", error, passed_over)
            return
        tree = _Tree(root, descriptor, device, names, passed_over)
        yield from _below(tree, below) if below else _folders(tree, "")


def _below(tree: _Tree, path: str) -> Iterator[list[Found]]:
    folder, _, name = path.rpartition("/")
    with _forgiven(tree, path):
        with _opened(tree, folder) as parent:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            if tree.names.picture(path):
                yield [Found(path, status)]
        elif tree.names.folder(path):
            yield from _folders(tree, path)


def _folders(tree: _Tree, top: str) -> Iterator[list[Found]]:
    pending = [top]
    while pending:
        folder = pending.pop()
        with _forgiven(tree, folder), _opened(tree, folder) as descriptor:
            yield from _pictures(tree, folder, descriptor, pending)


def _pictures(tree: _Tree, folder: str, descriptor: int, pending: list[str]) -> Iterator[list[Found]]:
    """The pictures of one folder; the folders in it that are to be entered are added to `pending`."""
    found: list[Found] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                if not entry.is_dir(follow_symlinks=False):
                    if tree.names.picture(path):
                        found.append(Found(path, entry.stat(follow_symlinks=False)))
                elif tree.names.folder(path):
                    pending.append(path)
            except OSError as error:
                _forgive(tree, path, error)
            if len(found) == CHUNK:
                yield found
                found = []
    if found:
        yield found


@contextmanager
def _opened(tree: _Tree, folder: str) -> Iterator[int]:
    """A folder's descriptor, reached step by step from the root's: a folder that became a link is not entered."""
    descriptor = os.open(".", _FOLDER, dir_fd=tree.descriptor)
    try:
        for part in folder.split("/") if folder else ():
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        if os.fstat(descriptor).st_dev != tree.device:
            raise OSError(errno.EXDEV, "another filesystem is mounted here")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _forgiven(tree: _Tree, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _forgive(tree, path, error)


def _forgive(tree: _Tree, path: str, error: OSError) -> None:
    if error.errno not in _CHANGED:
        pass_over(tree.root, path, error, tree.passed_over)


def pass_over(root: str, path: str, error: OSError, passed_over: Counter[PassedOver]) -> None:
    """Logs and counts what could not be looked at."""
    why = PassedOver.OTHER_FILESYSTEM if error.errno == errno.EXDEV else PassedOver.UNREADABLE
    passed_over[why] += 1
    log.warning("passed_over", root=root, path=path, why=str(why), error=error.strerror)
