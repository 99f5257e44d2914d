"""The ledger as reports and other commands read it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, func, select

from framekeep.reasons import Reason, Standing
from storage.ledger import (
    backup,
    breakers,
    chain,
    concerned,
    custody,
    decisions,
    events,
    held,
    holding,
    known_models,
    lookups,
    promises,
    reports,
    second_looks,
    succeeding,
)
from storage.ledger.answers import ALWAYS, Decision, Held, Period, Told, Total, Wanted
from storage.ledger.breakers import Opening, Outcome
from storage.ledger.chain import Break
from storage.ledger.concerned import Bereft, Delivered
from storage.ledger.events import Head
from storage.ledger.faults import told
from storage.ledger.known_models import ModelFacts
from storage.ledger.objects import ObjectTotal, object_totals
from storage.ledger.promises import Promise
from storage.ledger.schema import COUNTED, DecisionRow, PlanRow, ReasonRow
from storage.ledger.second_looks import Agreement
from storage.records import By, Claim, Hold, Known, Lineage, Place, Planned, VaultEntry


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

    def totals(self, by: By | None = None, period: Period = ALWAYS) -> list[Total]:
        """One total a key, by rising key; without `by` exactly one."""
        with self._connection() as connection:
            return reports.totals(connection, by, period)

    def objects(self, period: Period = ALWAYS) -> list[ObjectTotal]:
        """The objects that were kept, by class and camera."""
        with self._connection() as connection:
            return object_totals(connection, period)

    def entry_of(self, root: str, path: str) -> VaultEntry | None:
        """The newest original of a path that the vault still holds."""
        with self._connection() as connection:
            return lookups.entry_of(connection, root, path)

    def lineage(self, root: str, path: str, sha256: bytes) -> Lineage | None:
        """Where the variant with this hash at a path comes from; None where no decision in force has put it there."""
        with self._connection() as connection:
            return succeeding.lineage(connection, root, path, sha256)

    def held(self, wanted: Held) -> list[VaultEntry]:
        """The vault's originals that are wanted, by place."""
        with self._connection() as connection:
            return held.of(connection, wanted)

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

    def due_entries(
        self, now: datetime, limit: int, roots: Sequence[str], after: VaultEntry | None = None
    ) -> list[VaultEntry]:
        """These originals, the longest overdue first, or those that follow one."""
        with self._connection() as connection:
            return lookups.due(connection, now, limit, roots, after)

    def last_decision_at(self) -> datetime | None:
        with self._connection() as connection:
            return connection.scalar(select(func.max(DecisionRow.decided_at)))

    def pending_count(self) -> int:
        """Replacements that were planned and neither confirmed nor abandoned yet."""
        with self._connection() as connection:
            return connection.scalars(select(func.count()).select_from(PlanRow)).one()

    def pending(self) -> list[Planned]:
        """Those replacements, oldest first."""
        with self._connection() as connection:
            return lookups.pending(connection)

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

    def promises(self, below: Place, after: int, limit: int) -> list[Promise]:
        """Confirmed replacements below a place with a number above `after`, by rising number."""
        with self._connection() as connection:
            return promises.promises(connection, below, after, limit)

    def promise(self, decision: int) -> Promise | None:
        """One replacement, as it is promised now; None where nothing is promised any more."""
        with self._connection() as connection:
            return promises.promise(connection, decision)

    def promise_count(self, below: Place) -> int:
        with self._connection() as connection:
            return promises.count(connection, below)

    def entries(self, root: str) -> set[str]:
        """The names of all originals in a root's vault that any decision knows of."""
        with self._connection() as connection:
            return promises.entries(connection, root)

    def openings(self) -> list[Opening]:
        """Where the breaker is open."""
        with self._connection() as connection:
            return breakers.openings(connection)

    def last_model(self, name: str) -> ModelFacts | None:
        """As the last start with this name met it."""
        with self._connection() as connection:
            return known_models.last_model(connection, name)

    def to_look_at_again(self, due_before: datetime, limit: int) -> list[VaultEntry]:
        """A random sample of originals, due before that moment, that no second model has seen."""
        with self._connection() as connection:
            return second_looks.to_look_at_again(connection, due_before, limit)

    def agreements(self, since: datetime | None = None, until: datetime | None = None) -> dict[str, Agreement]:
        """What second looks came to, by camera."""
        with self._connection() as connection:
            return second_looks.agreements(connection, since, until)

    def head(self) -> Head:
        """The last event: keep it elsewhere, and `verify_chain` proves that nothing before it was touched."""
        with self._connection() as connection:
            return events.head(connection)

    def verify_chain(self, kept: Head | None = None) -> Break | None:
        """The first break in the chain of events and in what it covers; see storage/ledger/chain.py."""
        with self._connection() as connection:
            return chain.verify_chain(connection, kept)

    def history(self, place: Place) -> list[Told]:
        """All that happened to a picture, in order."""
        with self._connection() as connection:
            return custody.history(connection, place)

    def last_outcomes(self, count: int) -> list[Outcome]:
        """What the newest decisions came to, oldest first."""
        with self._connection() as connection:
            return breakers.outcomes(connection, count)

    def holds(self, *, removed: bool = False) -> list[Hold]:
        """The legal holds in force or, if wanted, all that ever were."""
        with self._connection() as connection:
            return holding.holds(connection, removed=removed)

    def untouched(self, claim: Claim) -> Iterator[Delivered]:
        """Pictures of a claim's root and camera that were looked at and are as they were delivered."""
        with self._connection() as connection:
            yield from concerned.untouched(connection, claim)

    def released(self, claim: Claim) -> Iterator[Bereft]:
        """Replacements in a claim's root and camera whose original was deleted for good."""
        with self._connection() as connection:
            yield from concerned.released(connection, claim)

    def back_up(self, copy: Path) -> None:
        """Copies the whole ledger to a new file. Raises UsageError for a name that is taken."""
        with self._connection() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine makes no other
            backup.back_up(driver, copy)

    def damage(self) -> str | None:
        """The first fault that SQLite finds in the file's structure, which it reads whole; None where it is sound."""
        with self._connection() as connection:
            found: str = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        return None if found == "ok" else found

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with told(self._ledger), self._engine.connect() as connection:
            yield connection
