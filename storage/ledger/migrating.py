"""From whatever revision a ledger's file is at to the program's own."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Text, column, inspect, select, table

from framekeep.errors import LedgerError
from storage.ledger.schema import REVISIONS

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """The revision that a database says it is at; None where it is still empty.

    Raises LedgerError for a database that holds something else.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return connection.scalars(select(column("version_num", Text)).select_from(table("alembic_version"))).one()
    if tables:
        raise LedgerError(
            "The database that [ledger] url names is another program's: give the ledger a file of its own."
        )
    return None


def refuse_newer(found: str | None, revisions: Sequence[str] = REVISIONS) -> None:
    if found is not None and found not in revisions:
        raise LedgerError(
            f"The ledger's schema {found} is newer than this program's {revisions[-1]}: "
            "install the newer framekeep again, or go back to the copy of the ledger that it made before its migration."
        )


def refuse_older(found: str | None, revisions: Sequence[str] = REVISIONS) -> None:
    if found != revisions[-1]:
        raise LedgerError(
            f"The ledger's schema {found or '(none yet)'} is older than this program's {revisions[-1]}: "
            "run framekeep run or framekeep sweep once to migrate it."
        )


def migrate(
    connection: Connection, ledger: Path, revisions: Sequence[str] = REVISIONS, scripts: Path = MIGRATIONS
) -> None:
    """Brings the ledger to the newest revision, all or nothing, and copies an existing one to a file beside it first.

    The connection is in a transaction that may write, so nobody else does meanwhile.
    """
    found = revision_of(connection)
    refuse_newer(found, revisions)
    if found == revisions[-1]:
        return
    if found is not None:
        _back_up(ledger, ledger.with_name(f"{ledger.name}.before-{revisions[-1]}"))
    _upgrade(connection, scripts)


def _back_up(ledger: Path, copy: Path) -> None:
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _upgrade(connection: Connection, scripts: Path) -> None:
    from alembic import command  # noqa: PLC0415 (slow to import, and only a migration needs it)
    from alembic.config import Config  # noqa: PLC0415 (as above)

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
