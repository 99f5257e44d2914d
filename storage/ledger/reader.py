"""The ledger as reports and other commands read it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, func, select

from framekeep.reasons import Reason, Standing
from storage.ledger import decisions, lookups, reports
from storage.ledger.answers import ALWAYS, Decision, Period, Total, Wanted
from storage.ledger.faults import told
from storage.ledger.schema import COUNTED, DecisionRow, PlanRow, ReasonRow
from storage.records import Known, VaultEntry


class Reader:
    """Sees what was committed, also while a writer is at work. Every method raises LedgerError."""

    def __init__(self, engine: Engine, ledger: Path) -> None:
        self._engine = engine
        self._ledger = ledger

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def decisions(self, wanted: Wanted) -> Iterator[Decision]:
        """Newest first."""
        with self._connection() as connection:
            yield from decisions.newest(connection, wanted)

    def totals(self, by: reports.By | None = None, period: Period = ALWAYS) -> list[Total]:
        """One total a key, by rising key; without `by` exactly one."""
        with self._connection() as connection:
            return reports.totals(connection, by, period)

    def entry_of(self, root: str, path: str) -> VaultEntry | None:
        """The newest original of a path that the vault still holds."""
        with self._connection() as connection:
            return lookups.held_entries(connection, root, [path]).get(path)

    def known(self, root: str, paths: Sequence[str]) -> dict[str, Known]:
        """What the ledger last knew of each path that has had a decision; a planned one is none yet."""
        with self._connection() as connection:
            return lookups.known(connection, root, paths)

    def restored(self, sha256: bytes) -> bool:
        """Whether an administrator put this content back somewhere."""
        with self._connection() as connection:
            return bool(lookups.restored(connection, [sha256]))

    def wrote(self, sha256: bytes) -> bool:
        """Whether framekeep wrote this content, wherever it is now."""
        with self._connection() as connection:
            return bool(lookups.wrote(connection, [sha256]))

    def due(self, now: datetime, roots: Sequence[str]) -> tuple[int, int]:
        """How many originals in these roots a release would delete now, and their bytes."""
        with self._connection() as connection:
            return lookups.due_sums(connection, now, roots)

    def last_decision_at(self) -> datetime | None:
        with self._connection() as connection:
            return connection.scalar(select(func.max(DecisionRow.decided_at)))

    def pending_count(self) -> int:
        """Replacements that were planned and neither confirmed nor abandoned yet."""
        with self._connection() as connection:
            return connection.scalars(select(func.count()).select_from(PlanRow)).one()

    def failures_since(self, since: datetime) -> int:
        words = [reason.word for reason in Reason if reason.standing is Standing.FAILED]
        failures = (
            select(func.count())
            .select_from(DecisionRow)
            .join(ReasonRow)
            .where(DecisionRow.decided_at >= since, DecisionRow.state.in_(COUNTED), ReasonRow.word.in_(words))
        )
        with self._connection() as connection:
            return connection.scalars(failures).one()

    def damage(self) -> str | None:
        """The first fault that SQLite finds in the file's structure, which it reads whole; None where it is sound."""
        with self._connection() as connection:
            found: str = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        return None if found == "ok" else found

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with told(self._ledger), self._engine.connect() as connection:
            yield connection
