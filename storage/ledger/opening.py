"""Opening the ledger: writers create and migrate it, readers never change it."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, select
from sqlalchemy.exc import DBAPIError

from framekeep.errors import LedgerError
from storage.ledger.faults import told
from storage.ledger.migrating import migrate, refuse_newer, refuse_older, revision_of
from storage.ledger.reader import Reader
from storage.ledger.schema import RootRow
from storage.ledger.writer import Writer

_PREFIX: Final = "sqlite:///"
_SUFFIXES: Final = ("", "-wal", "-shm")
"""Of the files that SQLite keeps a database in."""
_NOT_MADE: Final = ("SQLITE_READONLY", "SQLITE_CANTOPEN")
"""How the names of the errors begin that mean that one of them could not be made."""
_BUSY_SECONDS: Final = 30.0
"""How long to wait for another process that writes (a restore beside the daemon)."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_writer(url: str, clock: Callable[[], datetime] = _utc_now) -> Writer:
    """Creates the ledger and its folder where they are missing, and migrates an older one, of which a copy stays.

    The clock dates events.
    """
    ledger = file_of(url)
    with told(ledger):
        _make(ledger.parent)
        with _closed_on_failure(_writing(ledger)) as engine:
            with _alone_in(ledger.parent):
                engine.connect().close()
            with engine.begin() as connection:
                migrate(connection, ledger)
            return Writer(engine, ledger, clock)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """For the first connection: where two give a new file its journal mode, SQLite refuses one without waiting."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(folder: Path) -> None:
    """Makes a folder and those above it, durably: no power cut takes the ledger away together with its folder."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


@contextmanager
def fresh_ledger(url: str) -> Iterator[Writer]:
    """A new ledger, which takes the place of the one that is there when the block ends well; that one stays beside it.

    Nobody else may have the old one open.
    """
    ledger = file_of(url)
    building = ledger.with_name(f"{ledger.name}.rebuilding")
    with told(building):
        for suffix in _SUFFIXES:
            _beside(building, suffix).unlink(missing_ok=True)
    with open_writer(f"{_PREFIX}{building}") as writer:
        yield writer
    with told(ledger):
        _move_aside(ledger)
        building.replace(ledger)


def _move_aside(ledger: Path) -> None:
    """The file itself goes last, by a second name, so that there is a ledger at every moment."""
    number = next(n for n in count(1) if not _beside(ledger, f".before-rebuild-{n}").exists())
    aside = _beside(ledger, f".before-rebuild-{number}")
    if ledger.exists():
        aside.hardlink_to(ledger)
    for suffix in _SUFFIXES[1:]:
        if _beside(ledger, suffix).exists():
            _beside(ledger, suffix).rename(_beside(aside, suffix))


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def ledger_exists(url: str) -> bool:
    return file_of(url).exists()


def open_reader(url: str) -> Reader:
    ledger = file_of(url)
    with told(ledger):
        if not ledger.exists():
            raise LedgerError(
                f"There is no ledger at {ledger} yet: run framekeep run or framekeep sweep once, or correct `url` in "
                "[ledger]. If there was one, put a backup in its place, or make it anew with framekeep ledger rebuild."
            )
        with _closed_on_failure(_reading(ledger)) as engine:
            with _told_to_readers(ledger), engine.connect() as connection:
                found = revision_of(connection)
            refuse_newer(found)
            refuse_older(found)
            return Reader(engine, ledger)


def known_roots(url: str) -> frozenset[str]:
    """The roots that were worked in, of a ledger at whatever revision; none where there is no ledger yet.

    Raises LedgerError.
    """
    ledger = file_of(url)
    with told(ledger):
        if not ledger.exists():
            return frozenset()
        engine = _reading(ledger)
        try:
            with _told_to_readers(ledger), engine.connect() as connection:
                found = revision_of(connection)
                refuse_newer(found)
                return frozenset(connection.scalars(select(RootRow.path)) if found else ())
        finally:
            engine.dispose()


@contextmanager
def _told_to_readers(ledger: Path) -> Iterator[None]:
    """In WAL mode a reader, too, needs files beside the ledger, and the last who has it open takes them away."""
    try:
        yield
    except DBAPIError as error:
        may_read = os.access(ledger, os.R_OK, effective_ids=True)
        may_make = os.access(ledger.parent, os.W_OK, effective_ids=True)
        if may_make or not may_read or not getattr(error.orig, "sqlite_errorname", "").startswith(_NOT_MADE):
            raise
        raise LedgerError(
            f"The ledger {ledger} cannot be read by this user while no framekeep runs, since SQLite has to make files "
            "beside it for that: run this as the user that framekeep runs as, or while framekeep run is at work."
        ) from error


@contextmanager
def _closed_on_failure(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise


def file_of(url: str) -> Path:
    """What follows the prefix is the path as it is: unlike elsewhere in URLs, no character means anything else."""
    path = url.removeprefix(_PREFIX)
    if path in (url, "", ":memory:"):
        raise LedgerError(f"[ledger] url {url!r} names no SQLite file: write it as {_PREFIX}path/of/the/ledger.sqlite.")
    return Path(path)


def _writing(ledger: Path) -> Engine:
    # IMMEDIATE: a transaction that first reads and then writes would else fail where another process wrote between.
    # FULL: in WAL mode a commit is durable only so.
    return _engine(ledger, "rwc", "BEGIN IMMEDIATE", ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"))


def _reading(ledger: Path) -> Engine:
    return _engine(ledger, "ro", "BEGIN", ())


def _engine(ledger: Path, mode: str, begin: str, pragmas: tuple[str, ...]) -> Engine:
    address = f"{ledger.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # No isolation level: the driver would begin transactions of its own, and late.
        connection = sqlite3.connect(
            address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
    event.listen(engine, "begin", start)
    return engine
