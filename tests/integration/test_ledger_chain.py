"""The chain of a real ledger, and whoever edits that ledger with plain SQL."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import IntegrityError

from framekeep.errors import LedgerError
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.chain import verify_chain
from storage.ledger.events import BEGINNING, FACTS, Head
from storage.ledger.opening import open_reader, open_writer
from storage.records import Claim, Draft, Place, Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings("t1k", 0.3, "paper", 0.01, "4:2:0", True, "model", "ab")
BEFORE, AFTER = FileIdentity(1000, 1, 2, 3), FileIdentity(100, 4, 5, 6)
STRANGE = "gate/\udcff\n'.jpg"

TABLES = ("event", "decision", "hold", "settings", "label", "reason", "environment", "root", "camera")
"""Those in which no column may change; of a file only where it is."""


def kept(path: str, reason: Reason = Reason.NOT_JPEG) -> Draft:
    return Draft(Place("/srv/pictures", path), SETTINGS, reason, BEFORE, NOON, label="cat", probability=0.7, note="n")


def replaced(path: str) -> Draft:
    before = sha256(path.encode("utf-8", "surrogateescape")).digest()
    draft = replace(kept(path, Reason.QUALIFIED), sha256_before=before, sha256_after=sha256(before).digest())
    return replace(draft, rung="q10", quality=10, bytes_after=100, vault_entry=before.hex()[:32], vault_days=7.0)


def fill(url: str) -> None:
    """Every kind of event, and something that is only planned."""
    with open_writer(url, lambda: NOON) as writer:
        writer.record([kept(STRANGE), kept("yard/later.jpg", Reason.HELD)])
        paths = ("gate/stays.jpg", "gate/released.jpg", "gate/restored.jpg", "gate/abandoned.jpg", "gate/changed.jpg")
        stays, released, restored, abandoned, changed = writer.plan([replaced(path) for path in paths])
        writer.confirm([(decision, AFTER) for decision in (stays, released, restored, changed)])
        writer.abandon([(abandoned, Reason.UNSETTLED, "it changed")])
        writer.release([released], NOON + timedelta(days=7))
        writer.restore(restored, BEFORE, NOON + timedelta(days=1))
        writer.quarantine([changed], NOON, "somebody wrote on")
        writer.add_hold(Claim("why", camera="gate", since=NOON, case_number="7"))
        writer.add_hold(Claim("and why", pattern="*.jpg"))
        writer.remove_hold(1, "closed")
        writer.note("resumed", {"camera": "gate"})
        writer.plan([replaced("gate/planned.jpg")])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ledger = tmp_path_factory.mktemp("filled") / "ledger.sqlite"
    fill(f"sqlite:///{ledger}")
    return ledger


@pytest.fixture
def ledger(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path))


def head_of(ledger: Path) -> Head:
    with open_reader(f"sqlite:///{ledger}") as reader:
        return reader.head()


def found(ledger: Path, kept: Head | None = None) -> str | None:
    with open_reader(f"sqlite:///{ledger}") as reader:
        broken = reader.verify_chain(kept)
    return broken.sentence if broken else None


def change(ledger: Path, *statements: str) -> None:
    """As somebody who knows what the triggers are for."""
    with closing(sqlite3.connect(ledger)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


@contextmanager
def open_to_edits(ledger: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{ledger}")
    with engine.connect() as connection:
        connection.connection.driver_connection.text_factory = bytes  # some edits leave text that is no UTF-8
        yield connection
    engine.dispose()


def sql(statement: str, *words: object) -> str:
    """Names of tables and columns cannot be parameters."""
    return statement.format(*words)


def columns(ledger: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(ledger)) as connection:
        return [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]


CELLS = [(table, None) for table in TABLES] + [("file", "path"), ("file", "camera_id")]
EDITS = {
    "another number": "coalesce({column}, 0) + 1",
    "another text": "coalesce({column}, '') || 'x'",
    "other bytes": "CAST(coalesce({column}, '') || 'x' AS BLOB)",
    "text instead of bytes": "CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE 'x' END",
    "nothing": "CASE WHEN {column} IS NULL THEN 0 END",
}


def test_what_was_written_is_whole(ledger: Path):
    assert found(ledger) is None
    assert found(ledger, head_of(ledger)) is None
    assert found(ledger, BEGINNING) is None


def test_an_empty_ledger_is_whole(tmp_path: Path):
    open_writer(f"sqlite:///{tmp_path}/ledger.sqlite").close()
    assert head_of(tmp_path / "ledger.sqlite") == BEGINNING
    assert found(tmp_path / "ledger.sqlite") is None


@pytest.mark.parametrize(("table", "only"), CELLS)
def test_an_edit_of_any_column_of_any_row_is_found(filled: Path, tmp_path: Path, table: str, only: str | None):
    ledger = Path(shutil.copy(filled, tmp_path))
    change(ledger)
    unproved = {"decision": "state = 0", "file": "decision_id IS NULL"}.get(table, "0")
    edited = 0
    with open_to_edits(ledger) as connection:
        rows = list(connection.exec_driver_sql(sql("SELECT rowid FROM {} WHERE NOT ({})", table, unproved)).scalars())
        for row in rows:
            for column in [only] if only else columns(ledger, table):
                for edit in EDITS.values():
                    edited += is_found(connection, edit, (table, column, row))
        connection.rollback()
    assert edited >= len(rows)


def is_found(connection: Connection, edit: str, cell: tuple[str, str, int]) -> bool:
    """False where SQLite itself refuses the edit, or where it changes nothing."""
    table, column, row = cell
    content = sql("SELECT *, typeof({}) FROM {} WHERE rowid = {}", column, table, row)
    statement = sql("UPDATE {} SET {} = {} WHERE rowid = {}", table, column, edit.format(column=column), row)
    with connection.begin_nested() as tried:
        before = connection.exec_driver_sql(content).all()
        try:
            connection.exec_driver_sql(statement)
        except IntegrityError:
            tried.rollback()
            return False
        after = connection.exec_driver_sql(content).all()
        assert before == after or verify_chain(connection), statement
        tried.rollback()
    return before != after


@pytest.mark.parametrize("table", ["event", "decision", "hold"])
def test_a_row_that_was_deleted_is_found(ledger: Path, table: str):
    with closing(sqlite3.connect(ledger)) as connection:
        numbers = [
            number
            for (number,) in connection.execute(sql("SELECT id FROM {} ORDER BY id DESC LIMIT -1 OFFSET 1", table))
        ]
    assert numbers
    for number in numbers:
        copy = ledger.with_name("copy.sqlite")
        shutil.copy(ledger, copy)
        change(copy, sql("DELETE FROM {} WHERE id = {}", table, number))
        assert found(copy), number


def test_a_decision_without_an_event_is_found(ledger: Path):
    names = ", ".join(name for name in columns(ledger, "decision") if name != "id")
    change(ledger, sql("INSERT INTO decision ({0}) SELECT {0} FROM decision WHERE id = 1", names))
    assert "decisions, but the events tell of" in (found(ledger) or "")


def test_a_hold_without_an_event_is_found(ledger: Path):
    change(ledger, "INSERT INTO hold (added_at, reason) VALUES (0, '')")
    assert "holds" in (found(ledger) or "")


def test_an_end_that_was_cut_off_is_found_with_a_kept_head_only(ledger: Path):
    end = head_of(ledger)
    with open_writer(f"sqlite:///{ledger}") as writer:
        writer.note("resumed", {})
    newest = head_of(ledger)
    change(ledger, sql("DELETE FROM event WHERE id > {}", end.event))
    assert found(ledger) is None
    assert found(ledger, end) is None
    assert "cut off" in (found(ledger, newest) or "")


def test_a_chain_that_was_written_anew_is_found_with_a_kept_head_only(ledger: Path, tmp_path: Path):
    end = head_of(ledger)
    other = tmp_path / "anew" / "ledger.sqlite"
    fill(f"sqlite:///{other}")
    with open_writer(f"sqlite:///{other}") as writer:
        writer.note("resumed", {})
    assert found(other) is None
    change(other, "UPDATE event SET payload = '{\"camera\":\"yard\"}' WHERE kind = 'resumed'")
    assert found(other)
    assert "written anew" in (found(ledger, Head(end.event, bytes(32))) or "")


def test_payloads_that_are_none_are_found_not_stumbled_over(ledger: Path):
    for payload in ("", "[]", "{", '{"changed":{"state":7}}', '{"changed":{"none":[1,2]}}', '{"hold":1}'):
        copy = ledger.with_name("copy.sqlite")
        shutil.copy(ledger, copy)
        change(copy, sql("UPDATE event SET payload = '{}'", payload))
        assert found(copy), payload


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET at = 1",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event (id, at, kind, payload, digest) VALUES (1, 1, 'kept', '{}', x'00')",
        "INSERT INTO event (id, at, kind, payload, digest) VALUES (99, 1, 'kept', '{}', x'00')",
    ],
)
def test_the_ledger_itself_refuses_to_change_events(ledger: Path, statement: str):
    with closing(sqlite3.connect(ledger)) as connection, pytest.raises(sqlite3.IntegrityError, match="only ever added"):
        connection.execute(statement)


def test_two_writers_chain_their_events_one_behind_the_other(ledger: Path):
    url = f"sqlite:///{ledger}"
    with open_writer(url) as one, open_writer(url) as other:
        for turn in range(4):
            (one, other)[turn % 2].note("resumed", {"turn": turn})
    assert found(ledger) is None


def test_notes_do_not_pass_for_changes(ledger: Path):
    with open_writer(f"sqlite:///{ledger}") as writer:
        for kind, payload in (("kept", {}), ("resumed", {"changed": {}})):
            with pytest.raises(ValueError, match="chained where it is made"):
                writer.note(kind, payload)


def test_a_batch_that_fails_leaves_no_event(ledger: Path):
    end = head_of(ledger)
    with open_writer(f"sqlite:///{ledger}") as writer:
        with writer._connection.begin():
            pages = writer._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            writer._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError):
            writer.record([replace(kept(f"gate/{number}.jpg"), note="x" * 9000) for number in range(200)])
    assert head_of(ledger) == end
    assert found(ledger) is None


def test_the_chain_covers_these_facts_and_no_schema_changes_that_in_silence():
    """An event's digest is over exactly these values, in this order: with another, no old event can be proved."""
    assert tuple(FACTS) == (
        *("root", "camera", "path"),
        *("fingerprint", "keeper", "min_confidence", "ladder", "min_saving", "subsampling", "progressive"),
        *("model", "model_digest", "model_use", "objects", "known_labels", "floor_quality", "search"),
        *("region_rule", "limits", "stage"),
        *("device", "versions", "reason", "label"),
        *("state", "decided_at", "rung", "quality", "bytes_before", "bytes_after", "sha256_before", "sha256_after"),
        *(
            "probability",
            "evidence_before",
            "evidence_after",
            "regions",
            "vault_entry",
            "release_at",
            "released_at",
            "restores",
            "succeeds",
            "generation",
            "bytes_delivered",
            "missed_by_watcher",
            "note",
        ),
        *("ms_read", "ms_climb", "ms_look", "ms_write"),
    )
