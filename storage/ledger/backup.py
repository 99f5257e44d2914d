"""A copy of the ledger, as of one moment, by SQLite's online backup: writers go on meanwhile."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from framekeep.errors import LedgerError, UsageError
from storage.ledger.faults import sentence

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def back_up(ledger: sqlite3.Connection, copy: Path) -> None:
    """Durable when it returns. Raises UsageError for a name that is taken, LedgerError where the copy fails."""
    try:
        descriptor = os.open(copy, _CREATE, 0o600)
    except FileExistsError:
        raise UsageError(f"{copy} is there already, and a backup overwrites nothing: choose another name") from None
    except OSError as error:
        raise UsageError(f"{copy} cannot be made: {error.strerror}") from error
    try:
        with closing(sqlite3.connect(copy)) as target:
            ledger.backup(target)
        os.fsync(descriptor)
        _fsync_folder(copy.parent)
    except (sqlite3.Error, OSError) as error:
        copy.unlink()
        raise LedgerError(f"The copy {copy} {sentence(error)}.") from error
    finally:
        os.close(descriptor)


def _fsync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
