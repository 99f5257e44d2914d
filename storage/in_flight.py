"""Which pictures are being worked on, in ROOT/.framekeep/in-flight/. What a crash leaves there are its suspects.

Nothing is fsynced: a decoder that dies takes the process with it, not the machine.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from framekeep.errors import ConfigurationError
from storage.faults import keeping
from storage.root import OWN, Root, remove

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST: Final = 1 << 16


@contextmanager
def marked(root: Root, path: str) -> Iterator[None]:
    """While this lasts a crash makes the picture a suspect. Raises Kept where the mark cannot be made."""
    name = secrets.token_hex(8)
    try:
        with keeping():
            _mark(root, name, path)
        yield
    finally:
        remove(root.in_flight, name)


def _mark(root: Root, name: str, path: str) -> None:
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=root.in_flight)
    try:
        os.write(descriptor, os.fsencode(path))
    finally:
        os.close(descriptor)


def suspects(root: Root) -> dict[str, str]:
    """The paths that were in flight when the last process ended, by their marks; empty where a mark was just made.

    Raises ConfigurationError.
    """
    try:
        return {name: _path(root, name) for name in os.listdir(root.in_flight)}  # noqa: PTH208 - by descriptor
    except OSError as error:
        raise ConfigurationError(
            f"{root.path}/{OWN}/in-flight cannot be read, so what a crash left cannot be told: {error.strerror}"
        ) from error


def acquit(root: Root, mark: str) -> None:
    """Takes a mark away: its picture has been tried."""
    remove(root.in_flight, mark)


def _path(root: Root, name: str) -> str:
    descriptor = os.open(name, _READ, dir_fd=root.in_flight)
    try:
        return os.fsdecode(os.read(descriptor, _LONGEST))
    finally:
        os.close(descriptor)
