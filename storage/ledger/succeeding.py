"""Later stages: a decision that takes another one's place. Within the caller's transaction."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import aliased

from storage.ledger.events import Happened, Kind, append, canonical, chained
from storage.ledger.interning import Numbers
from storage.ledger.lookups import claimed, entry
from storage.ledger.schema import CameraRow, DecisionRow, FileRow, RestorationRow, RootRow, SettingsRow, State, TriedRow
from storage.ledger.totals import as_delivered, recounted
from storage.records import Draft, Lineage, Recorded, Tried

_TRIED: Final = "stage_tried"
"""The kind of the note about a try that changed nothing."""
_SUCCEEDING: Final = select(DecisionRow.id, DecisionRow.succeeds).where(
    DecisionRow.id.in_(bindparam("decisions", expanding=True)), DecisionRow.succeeds.is_not(None)
)
"""Built once: it takes longer to build than to run."""


def may_succeed(connection: Connection, draft: Draft) -> bool:
    """Whether the vault holds what the draft was made from, for nobody who is about to put it back or to take it over.

    Of a new generation: whether what it was made from stands there by the decision that it succeeds, which has nothing
    in the vault.
    """
    if draft.succeeds is None:
        return False
    if held := entry(connection, draft.succeeds):
        begun = select(RestorationRow.decision_id).where(RestorationRow.decision_id == draft.succeeds)
        return held.entry == draft.vault_entry and connection.scalar(begun) is None
    alone = select(DecisionRow.id).where(
        DecisionRow.id == draft.succeeds,
        DecisionRow.state == State.CONFIRMED,
        DecisionRow.sha256_after == draft.sha256_before,
        DecisionRow.generation < draft.generation,
        DecisionRow.vault_entry.is_(None),
        DecisionRow.id.not_in(claimed()),
    )
    return connection.scalar(alone) is not None


def lineage(connection: Connection, root: str, path: str, sha256: bytes) -> Lineage | None:
    """Of the variant with this hash at a path; None where no decision in force, or planned, has put it there."""
    is_under_way = or_(
        DecisionRow.state == State.PLANNED,
        DecisionRow.id.in_(claimed()),
        DecisionRow.id.in_(select(RestorationRow.decision_id)),
    )
    question = (
        select(
            *(DecisionRow.id, DecisionRow.generation, as_delivered(), DecisionRow.bytes_after),
            *(SettingsRow.stage, is_under_way),
        )
        .join_from(DecisionRow, SettingsRow)
        .join(FileRow)
        .join(CameraRow)
        .join(RootRow)
        .where(DecisionRow.sha256_after == sha256, DecisionRow.state.in_((State.CONFIRMED, State.PLANNED)))
        .where(FileRow.path == path, RootRow.path == root)
        .order_by(DecisionRow.id.desc())
        .limit(1)
    )
    row = connection.execute(question).one_or_none()
    if row is None:
        return None
    return Lineage(*row, held=entry(connection, row.id), recorded=tuple(_recorded(connection, row.id)))


def _recorded(connection: Connection, decision: int | None) -> Iterator[Recorded]:
    """What this decision and those before it keep of the original."""
    question = select(
        *(DecisionRow.succeeds, DecisionRow.evidence_before),
        *(SettingsRow.keeper, SettingsRow.model_digest, SettingsRow.model_use, SettingsRow.objects),
    ).join_from(DecisionRow, SettingsRow)
    while decision is not None:
        decision, evidence, *by = connection.execute(question.where(DecisionRow.id == decision)).one()
        if evidence is not None:
            yield Recorded(evidence, *by)


def was_made(connection: Connection, entry: str, sha256: bytes) -> bool:
    """Whether this content is a variant of the original that the vault holds under this name, of whatever stage."""
    held = aliased(DecisionRow)
    made = (
        select(DecisionRow.id)
        .join_from(DecisionRow, held, held.file_id == DecisionRow.file_id)
        .where(DecisionRow.sha256_after == sha256, held.vault_entry == entry)
        .where(DecisionRow.sha256_before == held.sha256_before)
        .limit(1)
    )
    return connection.scalar(made) is not None


def planned_among(connection: Connection, decisions: Collection[int]) -> dict[int, int]:
    """Those of some decisions that take another one's place, with that one."""
    found = connection.execute(_SUCCEEDING, {"decisions": list(decisions)})
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
        "reason_id": numbers.reason(connection, one.reason),
        "note": one.note,
        "tried_at": at,
    }
    settings = numbers.settings(connection, one.settings)
    addition = insert(TriedRow).values(decision_id=one.decision, settings_id=settings, **row)
    connection.execute(addition.on_conflict_do_update(index_elements=["decision_id", "settings_id"], set_=row))
    told = {"stage_days": one.settings.stage, "why": one.reason.word, "what": one.note}
    append(connection, at, [Happened(_TRIED, one.decision, canonical(told))])
