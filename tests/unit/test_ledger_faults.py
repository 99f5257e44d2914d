import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import NoSuchColumnError, OperationalError

from framekeep.errors import LedgerError
from storage.ledger.faults import sentence, told


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "any.sqlite", timeout=0)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
        yield connection


def address(database: sqlite3.Connection) -> str:
    return str(database.execute("PRAGMA database_list").fetchone()[2])


def error_of(connection: sqlite3.Connection, statement: str) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught:
        connection.execute(statement)
    return caught.value


def test_a_locked_ledger(database: sqlite3.Connection):
    with closing(sqlite3.connect(address(database))) as other:
        other.execute("BEGIN IMMEDIATE")
        error = error_of(database, "BEGIN IMMEDIATE")
    assert sentence(error).startswith("is locked by another program")


def test_a_ledger_that_may_only_be_read(database: sqlite3.Connection):
    with closing(sqlite3.connect(f"file:{address(database)}?mode=ro", uri=True)) as reader:
        error = error_of(reader, "INSERT INTO t VALUES (1)")
    assert sentence(error).startswith("cannot be written")


def test_a_full_disk(database: sqlite3.Connection):
    database.execute("PRAGMA max_page_count = 2")
    error = error_of(database, "INSERT INTO t VALUES (zeroblob(100000))")
    assert sentence(error).startswith("cannot grow because its disk is full")


def test_what_is_no_database(tmp_path: Path):
    (tmp_path / "text").write_text("not a database, but long enough to be read as one" * 50)
    with closing(sqlite3.connect(tmp_path / "text")) as connection:
        error = error_of(connection, "SELECT * FROM t")
    assert sentence(error).startswith("is not a SQLite database")


def test_a_damaged_database(database: sqlite3.Connection):
    database.execute("PRAGMA writable_schema = ON")
    database.execute("UPDATE sqlite_schema SET rootpage = 99")
    database.commit()
    with closing(sqlite3.connect(address(database))) as connection:
        error = error_of(connection, "SELECT * FROM t")
    assert sentence(error).startswith("is damaged")


def test_a_folder_stands_where_the_ledger_should(tmp_path: Path):
    with pytest.raises(sqlite3.Error) as caught:
        sqlite3.connect(tmp_path)
    assert sentence(caught.value).startswith("cannot be opened")


def test_what_has_no_sentence_of_its_own_tells_its_cause(database: sqlite3.Connection):
    assert sentence(error_of(database, "SELECT * FROM missing")) == "failed: no such table: missing"
    assert sentence(NoSuchColumnError("no column x")) == "failed: no column x"


def test_an_error_within_an_error_is_told_once_with_the_ledgers_name():
    inner = sqlite3.OperationalError("some cause")
    with pytest.raises(LedgerError) as caught, told(Path("var/ledger.sqlite")):
        raise OperationalError("SELECT 1", {}, inner)
    assert str(caught.value) == "The ledger var/ledger.sqlite failed: some cause."
    assert caught.value.exit_code == 13


def test_a_bug_stays_a_bug():
    with pytest.raises(ZeroDivisionError), told(Path("var/ledger.sqlite")):
        1 / 0  # noqa: B018 - the bug itself
