"""Later stages: a decision that takes another one's place, from the same original. Within the caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from storage.ledger.events import Happened, Kind, append, canonical, chained
from storage.ledger.interning import Numbers
from storage.ledger.lookups import entry
from storage.ledger.schema import DecisionRow, RestorationRow, State, TriedRow
from storage.ledger.totals import recounted
from storage.records import Tried

_TRIED: Final = "stage_tried"
"""The kind of the note about a try that changed nothing."""


def may_succeed(connection: Connection, decision: int) -> bool:
    """Whether the vault holds its original, for nobody who is about to put it back or to take it over."""
    begun = select(RestorationRow.decision_id).where(RestorationRow.decision_id == decision)
    return entry(connection, decision) is not None and connection.scalar(begun) is None


def planned_among(connection: Connection, decisions: Collection[int]) -> dict[int, int]:
    """Those of some decisions that take another one's place, with that one."""
    rows = select(DecisionRow.id, DecisionRow.succeeds)
    found = connection.execute(rows.where(DecisionRow.id.in_(decisions), DecisionRow.succeeds.is_not(None)))
    return {decision: succeeded for decision, succeeded in found if succeeded is not None}


def retire(connection: Connection, decisions: Sequence[int], at: datetime) -> None:
    """Later stages have taken the places of these: they leave the totals, and their originals are theirs no longer."""
    if not decisions:
        return
    retired = {"state": State.SUCCEEDED, "vault_entry": None, "release_at": None}
    with recounted(connection, decisions), chained(connection, at, Kind.SUCCEEDED, decisions):
        connection.execute(update(DecisionRow).where(DecisionRow.id.in_(decisions)).values(retired))


def tried(connection: Connection, numbers: Numbers, one: Tried, at: datetime) -> None:
    row = {
        "settings_id": numbers.settings(connection, one.settings),
        "reason_id": numbers.reason(connection, one.reason),
        "note": one.note,
        "tried_at": at,
    }
    addition = insert(TriedRow).values(decision_id=one.decision, **row)
    connection.execute(addition.on_conflict_do_update(index_elements=["decision_id"], set_=row))
    told = {"stage_days": one.settings.stage, "why": one.reason.word, "what": one.note}
    append(connection, at, [Happened(_TRIED, one.decision, canonical(told))])
