"""What becomes of a decision after it was planned. All within the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, delete, insert, select, update
from sqlalchemy.orm import aliased

from framekeep.reasons import Reason
from storage.actor import who
from storage.files import FileIdentity
from storage.ledger import restoring, succeeding
from storage.ledger.events import Happened, Kind, append, chained
from storage.ledger.files import settle_files
from storage.ledger.interning import Numbers
from storage.ledger.journal import NOTHING_CHANGED
from storage.ledger.schema import DecisionRow, FileRow, IdentityColumns, PlanRow, State
from storage.ledger.totals import count, recounted

_NOT_LOOKED_AT: Final = {
    "succeeds": None,
    "generation": 1,
    "missed_by_watcher": False,
    "note": "",
    "ms_read": 0,
    "ms_climb": 0,
    "ms_look": 0,
    "ms_write": 0,
}

# Built once: statements of each picture's way take longer to build than to run.
_THESE: Final[BindParameter[int]] = bindparam("decisions", expanding=True)
_CONFIRMED: Final = update(DecisionRow).where(DecisionRow.id.in_(_THESE)).values(state=State.CONFIRMED)
_PLANS: Final = (
    select(DecisionRow.id, DecisionRow.file_id, PlanRow.size, PlanRow.mtime_ns, PlanRow.ctime_ns, PlanRow.inode)
    .join_from(PlanRow, DecisionRow)
    .where(DecisionRow.id.in_(_THESE))
)
_PLANS_END: Final = delete(PlanRow).where(PlanRow.decision_id.in_(_THESE))


def confirm(connection: Connection, confirmations: Sequence[tuple[int, FileIdentity]], at: datetime) -> None:
    decisions = [decision for decision, _ in confirmations]
    plans = _end_plans(connection, decisions)
    succeeding.retire(connection, list(succeeding.planned_among(connection, decisions).values()), at)
    connection.execute(_CONFIRMED, {"decisions": decisions})
    count(connection, decisions)  # a planned one is in no total yet
    settle_files(connection, [(plans[decision][0], identity, decision) for decision, identity in confirmations])
    append(connection, at, [Happened(Kind.REPLACED, decision) for decision in decisions])


def abandon(
    connection: Connection, numbers: Numbers, abandonments: Sequence[tuple[int, Reason, str]], at: datetime
) -> None:
    kept = {decision: (numbers.reason(connection, reason), note) for decision, reason, note in abandonments}
    repeated = _repeated(connection, kept) | succeeding.planned_among(connection, kept).keys()
    plans = _end_plans(connection, list(kept))
    connection.execute(delete(DecisionRow).where(DecisionRow.id.in_(repeated)))
    decisions = [decision for decision in kept if decision not in repeated]
    with recounted(connection, decisions):
        for decision in decisions:
            _keep(connection, decision, *kept[decision])
    settle_files(connection, [(*plans[decision], decision) for decision in decisions])
    append(connection, at, [Happened(Kind.ABANDONED, decision) for decision in decisions])


def _repeated(connection: Connection, kept: Mapping[int, tuple[int, str]]) -> set[int]:
    """Those planned decisions that would say what their path's last one says already: same file, settings, reason."""
    last = aliased(DecisionRow)
    rows = connection.execute(
        select(DecisionRow.id, last.reason_id)
        .join_from(PlanRow, DecisionRow)
        .join(FileRow, and_(FileRow.id == DecisionRow.file_id, *_equal(FileRow, PlanRow)))
        .join(last, and_(last.id == FileRow.decision_id, last.settings_id == DecisionRow.settings_id))
        .where(DecisionRow.id.in_(kept))
    )
    return {decision for decision, reason in rows if reason == kept[decision][0]}


def _equal(one: type[IdentityColumns], other: type[IdentityColumns]) -> list[ColumnElement[bool]]:
    names = ("size", "mtime_ns", "ctime_ns", "inode")
    return [getattr(one, name) == getattr(other, name) for name in names]


def _keep(connection: Connection, decision: int, reason: int, note: str) -> None:
    kept = {"state": State.ABANDONED, "bytes_after": DecisionRow.bytes_before, "reason_id": reason, "note": note}
    connection.execute(update(DecisionRow).where(DecisionRow.id == decision).values(kept | NOTHING_CHANGED))


def _end_plans(connection: Connection, decisions: Sequence[int]) -> dict[int, tuple[int, FileIdentity]]:
    """The file, and what it was like when it was looked at, of each decision; they are planned no longer.

    Raises ValueError where one of them was not planned.
    """
    rows = connection.execute(_PLANS, {"decisions": decisions})
    plans = {decision: (file, FileIdentity(*identity)) for decision, file, *identity in rows}
    if strangers := set(decisions) - plans.keys():
        raise ValueError(f"decisions that are not planned: {sorted(strangers)}")
    connection.execute(_PLANS_END, {"decisions": decisions})
    return plans


def release(connection: Connection, decisions: Sequence[int], at: datetime, note: str = "") -> None:
    released = _held(connection, decisions)
    change = {"vault_entry": None, "released_at": at} | ({"note": note} if note else {})
    with recounted(connection, released), chained(connection, at, Kind.RELEASED, released):
        connection.execute(update(DecisionRow).where(DecisionRow.id.in_(released)).values(change))


def quarantine(connection: Connection, decisions: Sequence[int], at: datetime, note: str) -> None:
    aside = _held(connection, decisions)
    with recounted(connection, aside), chained(connection, at, Kind.QUARANTINED, aside):
        connection.execute(update(DecisionRow).where(DecisionRow.id.in_(aside)).values(vault_entry=None, note=note))


def _held(connection: Connection, decisions: Sequence[int]) -> list[int]:
    """Those whose original the vault holds."""
    held = select(DecisionRow.id).where(
        DecisionRow.id.in_(decisions), DecisionRow.vault_entry.is_not(None), DecisionRow.state == State.CONFIRMED
    )
    return list(connection.scalars(held))


def restore(connection: Connection, numbers: Numbers, decision: int, identity: FileIdentity, at: datetime) -> int:
    """The new decision's number. Raises ValueError where the decision is not a confirmed replacement."""
    restoring.end(connection, decision)
    restored = _undo(connection, decision, at)
    restored |= {"restores": decision, "reason_id": numbers.reason(connection, Reason.RESTORED), "decided_at": at}
    new = connection.scalars(insert(DecisionRow).returning(DecisionRow.id), restored).one()
    count(connection, [new])
    append(connection, at, [Happened(Kind.KEPT, new)])
    settle_files(connection, [(restored["file_id"], identity, new)])
    return new


def _undo(connection: Connection, decision: int, at: datetime) -> dict[str, Any]:
    """Takes a replacement back, and gives the row of the decision that tells so, as far as it is the same."""
    replacement = (
        connection.execute(
            select(
                *(DecisionRow.file_id, DecisionRow.settings_id, DecisionRow.environment_id, DecisionRow.label_id),
                *(DecisionRow.probability, DecisionRow.evidence_before),
                *(DecisionRow.bytes_before, DecisionRow.bytes_delivered, DecisionRow.sha256_before),
            ).where(
                DecisionRow.id == decision, DecisionRow.state == State.CONFIRMED, DecisionRow.sha256_after.is_not(None)
            )
        )
        .mappings()
        .one_or_none()
    )
    if replacement is None:
        raise ValueError(f"decision {decision} is not a confirmed replacement")
    undone = update(DecisionRow).where(DecisionRow.id == decision)
    with recounted(connection, [decision]), chained(connection, at, Kind.RESTORED, [decision], who()):
        connection.execute(undone.values(state=State.UNDONE, vault_entry=None, release_at=None))
    return {**replacement, "bytes_after": replacement["bytes_before"], "state": State.CONFIRMED, **_NOT_LOOKED_AT}
