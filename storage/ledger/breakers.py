"""The breaker's openings, and what the ledger knows of cameras and roots that it compares with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from sqlalchemy import Connection, func, insert, select, update

from framekeep.reasons import Reason, Standing
from storage.ledger.columns import EPOCH
from storage.ledger.schema import (
    COUNTED,
    BreakerRow,
    CameraRow,
    DailyTotalRow,
    DecisionRow,
    FileRow,
    ReasonRow,
    RootRow,
    SettingsRow,
)
from storage.ledger.totals import as_delivered
from storage.records import Draft


@dataclass(frozen=True, slots=True)
class Opening:
    """The breaker's opening for a camera of a root, or (None) for all of them."""

    root: str
    camera: str | None
    cause: str
    at: datetime

    def covers(self, root: str, camera: str) -> bool:
        return self.root == root and self.camera in (None, camera)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision says of its camera. For a kept picture bytes after are those before."""

    root: str
    camera: str
    fingerprint: str
    """The settings'."""
    reason: Reason
    rung: str | None
    bytes_before: int
    bytes_after: int
    at: datetime
    sha256: bytes | None = None
    """Of what was looked at."""

    @classmethod
    def of(cls, draft: Draft) -> Self:
        """Of a decision that was just made."""
        size = draft.bytes_delivered
        return cls(
            root=draft.place.root,
            camera=draft.place.camera,
            fingerprint=draft.settings.fingerprint,
            reason=draft.reason,
            rung=draft.rung,
            bytes_before=size,
            bytes_after=size if draft.bytes_after is None else draft.bytes_after,
            at=draft.decided_at,
            sha256=draft.sha256_before,
        )


def openings(connection: Connection) -> list[Opening]:
    """Where the breaker is open, oldest first."""
    columns = (BreakerRow.root, BreakerRow.camera, BreakerRow.cause, BreakerRow.opened_at)
    rows = connection.execute(select(*columns).where(BreakerRow.resumed_at.is_(None)).order_by(BreakerRow.id))
    return [Opening(*row) for row in rows]


def open_breaker(connection: Connection, opening: Opening) -> None:
    row = {"root": opening.root, "camera": opening.camera, "cause": opening.cause, "opened_at": opening.at}
    connection.execute(insert(BreakerRow).values(row))


def resume(connection: Connection, wanted: Sequence[Opening], reason: str, at: datetime) -> None:
    """Closes these openings."""
    for one in wanted:
        here = (BreakerRow.root == one.root, BreakerRow.camera.is_not_distinct_from(one.camera))
        still_open = update(BreakerRow).where(*here, BreakerRow.resumed_at.is_(None))
        connection.execute(still_open.values(resumed_at=at, resume_reason=reason))


def resumptions(connection: Connection) -> list[Opening]:
    """The last time that each was resumed; `cause` is the person's reason then."""
    newest = select(func.max(BreakerRow.id)).where(BreakerRow.resumed_at.is_not(None))
    columns = (BreakerRow.root, BreakerRow.camera, BreakerRow.resume_reason, BreakerRow.resumed_at)
    question = select(*columns).where(BreakerRow.id.in_(newest.group_by(BreakerRow.root, BreakerRow.camera)))
    return [Opening(root, camera, reason or "", at) for root, camera, reason, at in connection.execute(question) if at]


def outcomes(connection: Connection, last: int) -> list[Outcome]:
    """The newest decisions, oldest first."""
    question = (
        select(
            *(RootRow.path, CameraRow.name, SettingsRow.fingerprint, ReasonRow.word, DecisionRow.rung),
            *(as_delivered().label("bytes_before"), DecisionRow.bytes_after, DecisionRow.decided_at),
            DecisionRow.sha256_before,
        )
        .join_from(DecisionRow, FileRow)
        .join(CameraRow)
        .join(RootRow)
        .join(SettingsRow)
        .join(ReasonRow)
        .where(DecisionRow.state.in_(COUNTED))
        .order_by(DecisionRow.decided_at.desc(), DecisionRow.id.desc())
        .limit(last)
    )
    rows = connection.execute(question).all()
    return [
        Outcome(root, camera, fingerprint, Reason.of(word), rung, before, after, at, sha256)
        for root, camera, fingerprint, word, rung, before, after, at, sha256 in reversed(rows)
    ]


def known_bytes(connection: Connection) -> dict[str, int]:
    """The bytes that each root's pictures had as they were delivered, as far as the ledger knows them."""
    question = (
        select(RootRow.path, func.sum(as_delivered()).label("bytes"))
        .join_from(FileRow, DecisionRow, DecisionRow.id == FileRow.decision_id)
        .join(CameraRow, CameraRow.id == FileRow.camera_id)
        .join(RootRow)
        .group_by(RootRow.path)
    )
    return {row.path: row.bytes for row in connection.execute(question)}


def changed_on(connection: Connection, day: date) -> dict[str, int]:
    """The bytes of the pictures that were replaced on a day (UTC), by root."""
    words = [reason.word for reason in Reason if reason.standing is Standing.REPLACED]
    question = (
        select(RootRow.path, func.sum(DailyTotalRow.bytes_before).label("bytes"))
        .join_from(DailyTotalRow, CameraRow)
        .join(RootRow)
        .join(ReasonRow, ReasonRow.id == DailyTotalRow.reason_id)
        .where(DailyTotalRow.day == (day - EPOCH.date()).days, ReasonRow.word.in_(words))
        .group_by(RootRow.path)
    )
    return {row.path: row.bytes for row in connection.execute(question)}
