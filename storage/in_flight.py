"""Which pictures are being worked on, in ROOT/.framekeep/in-flight/. What a crash leaves there are its suspects.

A mark holds the picture's path, a NUL, and the stage at which it is worked on. Nothing is fsynced: a decoder that dies
takes the process with it, not the machine.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from framekeep.errors import ConfigurationError
from storage.faults import keeping
from storage.root import OWN, Root, remove

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Suspect:
    path: str
    """Relative to the root; empty where the mark was just made."""
    stage: float | None
    """The age in days from which on the rules hold under which it was worked on; None where that cannot be told."""


@contextmanager
def marked(root: Root, path: str, stage: float) -> Iterator[None]:
    """While this lasts a crash makes the picture a suspect. Raises Kept where the mark cannot be made."""
    name = secrets.token_hex(8)
    try:
        with keeping():
            _mark(root, name, b"%b\0%b" % (os.fsencode(path), repr(stage).encode()))
        yield
    finally:
        remove(root.in_flight, name)


def _mark(root: Root, name: str, content: bytes) -> None:
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=root.in_flight)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def suspects(root: Root) -> dict[str, Suspect]:
    """What was in flight when the last process ended, by the marks. Raises ConfigurationError."""
    try:
        return {name: _suspect(root, name) for name in os.listdir(root.in_flight)}  # noqa: PTH208 - by descriptor
    except OSError as error:
        raise ConfigurationError(
            f"{root.path}/{OWN}/in-flight cannot be read, so what a crash left cannot be told: {error.strerror}"
        ) from error


def acquit(root: Root, mark: str) -> None:
    """Takes a mark away: its picture has been tried."""
    remove(root.in_flight, mark)


def _suspect(root: Root, name: str) -> Suspect:
    descriptor = os.open(name, _READ, dir_fd=root.in_flight)
    try:
        path, _, stage = os.read(descriptor, _LONGEST).partition(b"\0")
    finally:
        os.close(descriptor)
    return Suspect(os.fsdecode(path), _number(stage))


def _number(text: bytes) -> float | None:
    try:
        return float(text)
    except ValueError:  # a power cut can leave anything in what was not fsynced
        return None
