"""Opening the ledger: writers create and migrate it, readers never change it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from framekeep.errors import LedgerError
from storage.ledger.faults import told
from storage.ledger.migrating import migrate, refuse_newer, refuse_older, revision_of
from storage.ledger.reader import Reader
from storage.ledger.writer import Writer

_PREFIX: Final = "sqlite:///"
_BUSY_SECONDS: Final = 30.0
"""How long to wait for another process that writes (a restore beside the daemon)."""


def open_writer(url: str) -> Writer:
    """Creates the ledger and its folder where they are missing, and migrates an older one, of which a copy stays."""
    ledger = _file_of(url)
    with told(ledger):
        ledger.parent.mkdir(parents=True, exist_ok=True)
        with _closed_on_failure(_writing(ledger)) as engine:
            with engine.begin() as connection:
                migrate(connection, ledger)
            return Writer(engine, ledger)


def ledger_exists(url: str) -> bool:
    return _file_of(url).exists()


def open_reader(url: str) -> Reader:
    ledger = _file_of(url)
    with told(ledger):
        if not ledger.exists():
            raise LedgerError(
                f"There is no ledger at {ledger} yet: run framekeep run or framekeep sweep once, "
                "or correct `url` in [ledger]."
            )
        with _closed_on_failure(_reading(ledger)) as engine:
            with engine.connect() as connection:
                found = revision_of(connection)
            refuse_newer(found)
            refuse_older(found)
            return Reader(engine, ledger)


@contextmanager
def _closed_on_failure(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise


def _file_of(url: str) -> Path:
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
