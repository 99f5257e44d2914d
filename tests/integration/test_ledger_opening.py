"""Real SQLite files that are new, older, newer, foreign or broken."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from framekeep.errors import LedgerError
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.migrating import MIGRATIONS, migrate, refuse_newer, refuse_older
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.schema import REVISIONS, Base
from storage.records import Draft, Place, Settings

Opener = Callable[[str], object]
SETTINGS = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", True, "model", "ab")
DRAFT = Draft(
    Place("/srv", "gate/a.jpg"), SETTINGS, Reason.HELD, FileIdentity(1, 2, 3, 4), datetime(2026, 1, 1, tzinfo=UTC)
)
SECOND = """
from alembic import op
from sqlalchemy import text
revision, down_revision = "0002", "0001"
def upgrade():
    op.execute(text("CREATE TABLE later (x INTEGER)"))
    op.execute(text("{then}"))
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "var" / "ledger.sqlite"


def url_of(ledger: Path) -> str:
    return f"sqlite:///{ledger}"


def asked(ledger: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(ledger)) as connection:
        return connection.execute(question).fetchall()


def changed(ledger: Path, statement: str) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute(statement)


def with_second_revision(folder: Path, then: str) -> Path:
    scripts = folder / "50%_of_migrations"
    shutil.copytree(MIGRATIONS, scripts)
    (scripts / "versions" / "v0002_later.py").write_text(SECOND.format(then=then))
    return scripts


def migrate_further(ledger: Path, scripts: Path) -> None:
    with open_writer(url_of(ledger)) as writer, writer._connection.begin():
        migrate(writer._connection, ledger, (*REVISIONS, "0002"), scripts)


def test_a_writer_makes_the_ledger_and_its_folder(ledger: Path):
    open_writer(url_of(ledger)).close()
    assert asked(ledger, "SELECT version_num FROM alembic_version") == [(REVISIONS[-1],)]
    assert asked(ledger, "PRAGMA journal_mode") == [("wal",)]
    assert [path.name for path in ledger.parent.iterdir()] == ["ledger.sqlite"]


@pytest.fixture
def of_another_user(ledger: Path) -> Iterator[Path]:
    """A ledger that this user may read, in a folder in which this user may not write, while nobody has it open."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    open_writer(url_of(ledger)).close()
    open_reader(url_of(ledger)).close()  # loads all that it takes, which that user perhaps may not read
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others
        Path(folder).chmod(0o755)
        theirs = Path(folder, "ledger.sqlite")
        open_writer(url_of(theirs)).close()
        os.seteuid(65534)
        yield theirs
        os.seteuid(0)


def test_a_reader_who_may_make_no_files_is_told_whom_to_be(of_another_user: Path):
    with pytest.raises(LedgerError, match=r"cannot be read by this user while no framekeep runs.*run this as the user"):
        open_reader(url_of(of_another_user))


def test_a_reader_who_may_not_read_the_file_is_told_so(of_another_user: Path):
    os.seteuid(0)
    of_another_user.chmod(0o600)
    os.seteuid(65534)
    with pytest.raises(LedgerError, match="cannot be opened: let the user"):
        open_reader(url_of(of_another_user))


def test_a_reader_may_be_another_user_while_somebody_has_the_ledger_open(of_another_user: Path):
    os.seteuid(0)
    with open_writer(url_of(of_another_user)):
        os.seteuid(65534)
        with open_reader(url_of(of_another_user)) as reader:
            assert reader.pending_count() == 0
        os.seteuid(0)


def test_what_was_written_is_there_at_the_next_opening(ledger: Path):
    with open_writer(url_of(ledger)) as writer:
        writer.record([DRAFT])
    with open_writer(url_of(ledger)) as writer:
        assert writer.known("/srv", ["gate/a.jpg"])["gate/a.jpg"].reason is Reason.HELD


def test_a_writer_commits_durably_and_keeps_references_true(ledger: Path):
    with open_writer(url_of(ledger)) as writer:
        for pragma, value in (("synchronous", 2), ("foreign_keys", 1)):
            assert writer._connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_the_migrations_make_what_the_program_expects(ledger: Path):
    open_writer(url_of(ledger)).close()
    engine = create_engine(url_of(ledger))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_the_program_knows_every_revision():
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert [script.revision for script in scripts] == list(reversed(REVISIONS))


def test_a_migration_leaves_a_copy_of_the_ledger_as_it_was(ledger: Path, tmp_path: Path):
    with open_writer(url_of(ledger)) as writer:
        writer.record([DRAFT])
    migrate_further(ledger, with_second_revision(tmp_path, "INSERT INTO later VALUES (1)"))
    copy = ledger.with_name("ledger.sqlite.before-0002")
    assert asked(ledger, "SELECT version_num, x FROM alembic_version, later") == [("0002", 1)]
    assert asked(copy, "SELECT version_num FROM alembic_version") == [("0001",)]
    assert asked(copy, "SELECT count(*) FROM decision") == [(1,)]
    assert asked(copy, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == [(0,)]


def test_a_migration_that_fails_changes_nothing(ledger: Path, tmp_path: Path):
    with pytest.raises(Exception, match="no such table"):
        migrate_further(ledger, with_second_revision(tmp_path, "INSERT INTO missing VALUES (1)"))
    assert asked(ledger, "SELECT version_num FROM alembic_version") == [("0001",)]
    assert asked(ledger, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == [(0,)]


def test_an_up_to_date_ledger_is_not_copied(ledger: Path):
    open_writer(url_of(ledger)).close()
    open_writer(url_of(ledger)).close()
    assert [path.name for path in ledger.parent.iterdir()] == ["ledger.sqlite"]


@pytest.mark.parametrize("opened", [open_writer, open_reader])
def test_a_newer_ledger_is_refused_and_left_alone(ledger: Path, opened: Opener):
    open_writer(url_of(ledger)).close()
    changed(ledger, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="9999 is newer than this program's 0001") as caught:
        opened(url_of(ledger))
    assert caught.value.exit_code == 13
    assert asked(ledger, "SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.parametrize("found", ["0001", None])
def test_a_reader_asks_for_a_migration_by_a_writer(found: str | None):
    with pytest.raises(LedgerError, match="run framekeep run or framekeep sweep once"):
        refuse_older(found, ("0001", "0002"))
    refuse_newer(found, ("0001", "0002"))


def test_a_reader_makes_no_ledger(ledger: Path):
    with pytest.raises(LedgerError, match=r"no ledger at .* yet: run framekeep run"):
        open_reader(url_of(ledger))
    assert not ledger.parent.exists()


@pytest.mark.parametrize("opened", [open_writer, open_reader])
def test_another_programs_database_is_left_alone(ledger: Path, opened: Opener):
    ledger.parent.mkdir()
    changed(ledger, "CREATE TABLE recipes (cake TEXT)")
    with pytest.raises(LedgerError, match="another program's"):
        opened(url_of(ledger))
    assert asked(ledger, "SELECT name FROM sqlite_schema") == [("recipes",)]


@pytest.mark.parametrize("opened", [open_writer, open_reader])
def test_what_is_no_database_is_left_alone(ledger: Path, opened: Opener):
    ledger.parent.mkdir()
    ledger.write_text("a letter to somebody " * 100)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite is not a SQLite database: correct `url`"):
        opened(url_of(ledger))
    assert ledger.read_text() == "a letter to somebody " * 100


def test_damage_within_is_found(ledger: Path):
    with open_writer(url_of(ledger)) as writer:
        writer.record([DRAFT])
    ((page,),) = asked(ledger, "SELECT rootpage FROM sqlite_schema WHERE name = 'decision_file'")
    with open_reader(url_of(ledger)) as reader:
        assert reader.damage() is None
    with ledger.open("r+b") as file:
        file.seek((int(str(page)) - 1) * 4096)
        file.write(bytes(4096))
    with open_reader(url_of(ledger)) as reader:
        assert reader.damage()


def test_an_empty_file_becomes_a_ledger(ledger: Path):
    ledger.parent.mkdir()
    ledger.touch()
    with pytest.raises(LedgerError, match="run framekeep run"):
        open_reader(url_of(ledger))
    open_writer(url_of(ledger)).close()
    open_reader(url_of(ledger)).close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match=r"The ledger .*/file/ledger\.sqlite failed"):
        open_writer(url_of(tmp_path / "file" / "ledger.sqlite"))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://host/ledger", "ledger.sqlite", ""])
def test_a_url_that_names_no_sqlite_file_is_refused(url: str):
    with pytest.raises(LedgerError, match="sqlite:///path"):
        open_writer(url)


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path):
    ledger = tmp_path / "a?mode=ro&b#c%20d" / "led ger.sqlite"
    with open_writer(url_of(ledger)) as writer:
        writer.record([DRAFT])
    assert ledger.stat().st_size > 0


def test_a_reader_needs_no_migration_machinery():
    code = "import sys, storage.ledger.opening; print([name for name in ('alembic', 'torch') if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
