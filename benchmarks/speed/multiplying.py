"""Makes a ledger of a day's decisions one of many days: each day before is a copy of that one, by SQL.

What readers rely on is right in the copies: paths are unique, hashes too, and the totals are the sums. The chain of
events is copied row by row, so that the file has its true size; its digests prove nothing.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from storage.ledger.schema import Base, DailyTotalRow, DecisionRow, EventRow, FileRow
from storage.ledger.totals import DAY

_FRESH: Final = "randomblob(32)"


def multiply(ledger: Path, days: int) -> None:
    """`ledger` holds one day's replacements, and nobody has it open."""
    with sqlite3.connect(ledger) as connection:
        connection.execute("PRAGMA cache_size = -200000")
        files, decisions, events = (_last(connection, table) for table in ("file", "decision", "event"))
        for day in range(1, days):
            at = {"id": f"id + {day * decisions}", "decided_at": f"decided_at - {day * DAY}"}
            _copy(connection, FileRow, _file(day, files, decisions), files)
            _copy(connection, DecisionRow, at | _decision(day, files), decisions)
            _copy(connection, EventRow, _event(day, events, decisions), events)
            _copy(connection, DailyTotalRow, {"day": f"day - {day}"}, None)
            connection.commit()


def _file(day: int, files: int, decisions: int) -> dict[str, str]:
    """The camera stays the first folder."""
    return {
        "id": f"id + {day * files}",
        "path": f"CAST(CAST(path AS TEXT) || '.{day}.jpg' AS BLOB)",
        "decision_id": f"decision_id + {day * decisions}",
    }


def _decision(day: int, files: int) -> dict[str, str]:
    return {
        "file_id": f"file_id + {day * files}",
        "release_at": f"release_at - {day * DAY}",
        "sha256_before": _FRESH,
        "sha256_after": _FRESH,
        "vault_entry": "CAST(lower(hex(randomblob(16))) AS BLOB)",
    }


def _event(day: int, events: int, decisions: int) -> dict[str, str]:
    return {
        "id": f"id + {day * events}",
        "at": f"at - {day * DAY}",
        "decision_id": f"decision_id + {day * decisions}",
        "digest": _FRESH,
    }


def _copy(connection: sqlite3.Connection, row: type[Base], changed: Mapping[str, str], last: int | None) -> None:
    """The rows up to the last one of the first day; None: those of the newest day."""
    table, columns = row.__tablename__, list(row.__table__.c.keys())
    given = ", ".join(changed.get(column, column) for column in columns)
    where = "day = (SELECT max(day) FROM daily_total)" if last is None else f"id <= {last}"
    copying = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {given} FROM {table} WHERE {where}"  # noqa: S608 - our own names
    connection.execute(copying)


def _last(connection: sqlite3.Connection, table: str) -> int:
    (last,) = connection.execute(f"SELECT max(id) FROM {table}").fetchone()  # noqa: S608 - as above
    return int(last)
