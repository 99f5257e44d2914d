"""The drift check's memory: what a second model said of originals before they were released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Row, cast, func, or_, select
from sqlalchemy.dialects.sqlite import insert as upsert

from storage.ledger.schema import CameraRow, DecisionRow, FileRow, RootRow, SecondLookRow, SettingsRow, State
from storage.records import Place, VaultEntry


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of a camera's pictures a second model looked at, and in how many it saw the same label as before."""

    looked: int
    agreed: int

    @property
    def share(self) -> float:
        return self.agreed / self.looked if self.looked else 1.0


def to_look_at_again(connection: Connection, due_before: datetime, limit: int) -> list[VaultEntry]:
    """A random sample of originals, due before that moment, that nobody has looked at a second time."""
    columns = (
        *(DecisionRow.id, RootRow.path, FileRow.path, DecisionRow.vault_entry),
        *(DecisionRow.sha256_before, DecisionRow.sha256_after),
        *(DecisionRow.bytes_before, DecisionRow.bytes_after, DecisionRow.release_at),
    )
    question = (
        select(*columns)
        .join_from(DecisionRow, FileRow)
        .join(CameraRow)
        .join(RootRow)
        .join(SettingsRow)
        .outerjoin(SecondLookRow)
        .where(
            DecisionRow.vault_entry.is_not(None),
            DecisionRow.release_at < due_before,
            DecisionRow.state == State.CONFIRMED,
            or_(SettingsRow.keeper.contains("t1k"), SettingsRow.keeper.contains("t5k")),  # labels were promised
            DecisionRow.rung.is_not(None),  # without a rung the pixels are the original's
            FileRow.decision_id == DecisionRow.id,
            SecondLookRow.decision_id.is_(None),
            DecisionRow.generation == 1,  # else the vault holds no original
        )
        .order_by(func.random())
        .limit(limit)
    )
    return [_entry(row) for row in connection.execute(question)]


def _entry(row: Row[*tuple[Any, ...]]) -> VaultEntry:
    decision, root, path, *rest = row
    return VaultEntry(decision, Place(root, path), *rest)


def second_look(connection: Connection, looks: Sequence[tuple[int, bool]], model: str, at: datetime) -> None:
    """Each: a decision, and whether the second model sees the same in its original and in its variant."""
    rows = [{"decision_id": decision, "agrees": agrees, "model": model, "looked_at": at} for decision, agrees in looks]
    if rows:
        connection.execute(upsert(SecondLookRow).on_conflict_do_nothing(), rows)


def agreements(
    connection: Connection, since: datetime | None = None, until: datetime | None = None
) -> dict[str, Agreement]:
    """Those of a time by camera; cameras of the same name in two roots are one, as in reports."""
    agreed = func.sum(cast(SecondLookRow.agrees, Integer))
    question = (
        select(CameraRow.name, func.count(), agreed)
        .join_from(SecondLookRow, DecisionRow)
        .join(FileRow)
        .join(CameraRow)
        .group_by(CameraRow.name)
    )
    if since is not None:
        question = question.where(SecondLookRow.looked_at >= since)
    if until is not None:
        question = question.where(SecondLookRow.looked_at < until)
    return {camera: Agreement(looked, agreed) for camera, looked, agreed in connection.execute(question)}
