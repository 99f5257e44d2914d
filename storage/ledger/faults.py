"""What a database's error means to the one who has to mend it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from framekeep.errors import LedgerError

_SENTENCES: Final = {
    "SQLITE_BUSY": "is locked by another program: wait until that is done or stop it, then try again",
    "SQLITE_LOCKED": "is locked by another program: wait until that is done or stop it, then try again",
    "SQLITE_READONLY": "cannot be written: give the user that runs framekeep write access to the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened: let the user that runs framekeep read and write the file and its folder",
    "SQLITE_NOTADB": "is not a SQLite database: correct `url` in [ledger], or move that file away",
    "SQLITE_CORRUPT": "is damaged: stop framekeep and put a backup of the ledger in its place",
    "SQLITE_FULL": "cannot grow because its disk is full: free some space, then start framekeep again",
    "SQLITE_IOERR": "cannot be read or written: its disk reports an error, or [ledger] `url` names a folder",
}


@contextmanager
def told(ledger: Path) -> Iterator[None]:
    """Turns each error of the database, and of the file that it is in, into a `LedgerError`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise LedgerError(f"The ledger {ledger} {sentence(error)}.") from error


def sentence(error: Exception) -> str:
    """What is wrong with the ledger and what to do: the rest of a sentence whose subject is the ledger."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    name = getattr(cause, "sqlite_errorname", None) or ""
    family = "_".join(name.split("_")[:2])  # SQLITE_IOERR_WRITE and its like say more than is needed
    return _SENTENCES.get(family, f"failed: {cause}")
