"""The rows of restorations under way. All within the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from storage.ledger.lookups import entry, entry_of_row, held
from storage.ledger.schema import DecisionRow, RestorationRow
from storage.records import Restoration


def begin(connection: Connection, decision: int, at: datetime) -> bool:
    """False where the vault holds its original no longer: it was released or restored meanwhile."""
    if entry(connection, decision) is None:
        return False
    connection.execute(insert(RestorationRow), {"decision_id": decision, "begun_at": at})
    return True


def end(connection: Connection, decision: int) -> None:
    connection.execute(delete(RestorationRow).where(RestorationRow.decision_id == decision))


def restorations(connection: Connection) -> Sequence[Restoration]:
    begun = {row.decision_id: row.begun_at for row in connection.execute(select(RestorationRow.__table__))}
    rows = connection.execute(held().where(DecisionRow.id.in_(list(begun))))
    return [Restoration(entry, begun[entry.decision]) for entry in map(entry_of_row, rows)]
