"""The ledger as the pipeline, recovery, the vault and a restore write it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from framekeep.reasons import Reason, Standing
from storage.files import FileIdentity
from storage.ledger import journal, lookups, outcomes
from storage.ledger.faults import told
from storage.ledger.interning import Numbers
from storage.records import Draft, Known, Planned, VaultEntry


class Writer:
    """For one thread. Each method is one transaction, durable when it returns; all raise LedgerError."""

    def __init__(self, engine: Engine, ledger: Path) -> None:
        self._connection = engine.connect()
        self._ledger = ledger
        self._numbers = Numbers()

    def close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def known(self, root: str, paths: Sequence[str]) -> dict[str, Known]:
        """What the ledger last knew of each path that has had a decision; a planned one is none yet."""
        with self._transaction() as connection:
            return lookups.known(connection, root, paths)

    def wrote(self, sha256s: Sequence[bytes]) -> set[bytes]:
        with self._transaction() as connection:
            return lookups.wrote(connection, sha256s)

    def restored(self, sha256s: Sequence[bytes]) -> set[bytes]:
        with self._transaction() as connection:
            return lookups.restored(connection, sha256s)

    def record(self, drafts: Sequence[Draft]) -> list[int]:
        """Kept pictures, one number a draft.

        A reason for later, or a failure, that the path's last decision gave already (same settings, same file) is not
        repeated: that decision's number is returned.
        """
        if any(draft.reason.standing is Standing.REPLACED for draft in drafts):
            raise ValueError("a replacement is planned, not recorded")
        with self._transaction() as connection:
            return journal.record(connection, self._numbers, drafts)

    def plan(self, drafts: Sequence[Draft]) -> list[int]:
        """Replacements that are about to happen, one number a draft."""
        if not all(map(_is_replacement, drafts)):
            raise ValueError("only a replacement is planned, with both hashes and its entry in the vault")
        with self._transaction() as connection:
            return journal.plan(connection, self._numbers, drafts)

    def confirm(self, confirmations: Sequence[tuple[int, FileIdentity]]) -> None:
        """These planned replacements happened; the identity is that of the variant, which is at the path now."""
        with self._transaction() as connection:
            outcomes.confirm(connection, confirmations)

    def abandon(self, abandonments: Sequence[tuple[int, Reason, str]]) -> None:
        """These planned replacements did not happen: each is a decision to keep now, with this reason and note."""
        with self._transaction() as connection:
            outcomes.abandon(connection, self._numbers, abandonments)

    def pending(self) -> list[Planned]:
        with self._transaction() as connection:
            return lookups.pending(connection)

    def due(self, now: datetime, limit: int, roots: Sequence[str]) -> list[VaultEntry]:
        """Originals held in these roots whose time has come, the longest overdue first."""
        with self._transaction() as connection:
            return lookups.due(connection, now, limit, roots)

    def held_entries(self, root: str, paths: Sequence[str]) -> dict[str, VaultEntry]:
        with self._transaction() as connection:
            return lookups.held_entries(connection, root, paths)

    def release(self, decisions: Sequence[int], at: datetime) -> None:
        """The vault holds these originals no longer, which frees their bytes. A restored one is left out."""
        with self._transaction() as connection:
            outcomes.release(connection, decisions, at)

    def restore(self, decision: int, identity: FileIdentity, at: datetime) -> int:
        """The original of a confirmed replacement is back at its path.

        That decision is undone and leaves the totals of its day; a new one, whose number is returned, tells of a
        picture kept because it was restored, and by its hash `restored` knows the content from now on.
        """
        with self._transaction() as connection:
            return outcomes.restore(connection, self._numbers, decision, identity, at)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with told(self._ledger):
            try:
                with self._connection.begin():
                    yield self._connection
            except BaseException:
                self._numbers.forget()
                raise


def _is_replacement(draft: Draft) -> bool:
    facts = (draft.bytes_after, draft.sha256_before, draft.sha256_after, draft.vault_entry)
    return draft.reason.standing is Standing.REPLACED and None not in facts
