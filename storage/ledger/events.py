"""Events: an append-only record of what was done, each chained to the one before by its digest.

An event's digest is the SHA-256 over the digest before it, its own columns and, where it tells of a new decision, that
decision's facts: every column of its row, with what the row only refers to (path, settings, label …) spelled out. An
event that changes a decision later says in its payload what each changed column was and is. So whoever keeps one digest
can prove later that nothing before it was edited, removed or cut off (storage/ledger/chain.py).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, insert, select, type_coerce
from sqlalchemy.types import NullType

from storage.ledger.columns import EPOCH, MICROSECOND
from storage.ledger.lookups import chunks
from storage.ledger.schema import (
    CameraRow,
    DecisionRow,
    EnvironmentRow,
    EventRow,
    FileRow,
    LabelRow,
    ReasonRow,
    RootRow,
    SettingsRow,
)


class Kind(StrEnum):
    """The events that come with a change of the ledger's tables. Others are notes, in words of their own."""

    KEPT = "kept"
    REPLACED = "replaced"
    ABANDONED = "abandoned"
    RESTORED = "restored"
    """Of the replacement that was undone; the decision that tells so has an event `kept`."""
    SUCCEEDED = "succeeded"
    """A later stage, whose decision has an event of its own, has taken its place."""
    RELEASED = "released"
    QUARANTINED = "quarantined"
    """The vault's entry held other bytes than the original's; it was set aside."""
    HOLD_ADDED = "hold_added"
    HOLD_REMOVED = "hold_removed"


DECIDING: Final = (Kind.KEPT, Kind.REPLACED, Kind.ABANDONED)
"""Each decision that is planned no longer has exactly one event of these, whose digest covers its facts."""

CHANGED: Final = "changed"
"""In a payload: what each column of the decision's row that the event changed was, and what it is."""
BY: Final = "by"
"""In a payload: who asked for it."""

_SPELLED: Final = {
    "root": RootRow.path,
    "camera": CameraRow.name,
    "path": FileRow.path,
    **{name: column for name, column in SettingsRow.__table__.c.items() if name != "id"},
    "device": EnvironmentRow.device,
    "versions": EnvironmentRow.versions,
    "reason": ReasonRow.word,
    "label": LabelRow.name,
}
"""What a decision's row refers to."""
_OWN: Final = {
    name: column
    for name, column in DecisionRow.__table__.c.items()
    if name not in {"id", "file_id", "settings_id", "environment_id", "reason_id", "label_id"}
}
FACTS: Final = {name: type_coerce(column, NullType()).label(name) for name, column in (_SPELLED | _OWN).items()}
"""A decision's facts by their names, as SQLite holds them, so that writing and proving read the very same."""
_COLUMNS: Final = tuple(EventRow.__table__.c.keys())


@dataclass(frozen=True, slots=True)
class Head:
    """An event's number and digest (32 bytes)."""

    event: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.event} {self.digest.hex()}"


BEGINNING: Final = Head(0, bytes(32))
"""Before the first event."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What is to become an event."""

    kind: str
    decision: int | None = None
    payload: str = "{}"
    """Canonical JSON: what the decision's row does not hold."""


def append(connection: Connection, at: datetime, happened: Sequence[Happened]) -> None:
    """Adds events at the chain's end, within the caller's transaction."""
    if not happened:
        return
    facts = _facts(connection, [one.decision for one in happened if one.kind in DECIDING and one.decision])
    end, rows, instant = head(connection), [], (at - EPOCH) // MICROSECOND
    for one in happened:
        event = (end.event + 1, instant, str(one.kind), one.decision, one.payload)
        covered = facts[one.decision] if one.kind in DECIDING and one.decision else None
        end = Head(event[0], digest_of(end.digest, event, covered))
        rows.append(dict(zip(_COLUMNS, (event[0], at, *event[2:], end.digest), strict=True)))
    connection.execute(_ADDITION, rows)


@contextmanager
def chained(
    connection: Connection, at: datetime, kind: str, decisions: Sequence[int], by: str | None = None
) -> Iterator[None]:
    """Chains what the caller changes meanwhile in the rows of decisions that are planned no longer, and who did so."""
    before = _rows(connection, decisions)
    yield
    after = _rows(connection, decisions)
    who = {BY: by} if by else {}
    payloads = {decision: {CHANGED: _changes(row, after[decision]), **who} for decision, row in before.items()}
    append(connection, at, [Happened(kind, decision, canonical(payload)) for decision, payload in payloads.items()])


def head(connection: Connection) -> Head:
    """The last event."""
    row = connection.execute(_NEWEST).one_or_none()
    return Head(*row) if row else BEGINNING


def digest_of(before: bytes, event: Sequence[Any], facts: Mapping[str, Any] | None) -> bytes:
    """`event`: number, microseconds, kind, decision and payload, as SQLite holds them."""
    covered = None if facts is None else [facts[name] for name in FACTS]
    return hashlib.sha256(before + canonical([*event, covered]).encode()).digest()


def canonical(value: Any) -> str:  # noqa: ANN401 - whatever JSON or SQLite holds
    """The one way to write this value as JSON. Bytes are told from text, and 1 from 1.0 and true."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_bytes)


def _bytes(value: bytes) -> dict[str, str]:
    return {"b": value.decode("latin-1")}


def spelled(question: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Joins all that a decision refers to, to a question about decisions or about what may belong to one."""
    return (
        question.outerjoin(FileRow, FileRow.id == DecisionRow.file_id)
        .outerjoin(CameraRow, CameraRow.id == FileRow.camera_id)
        .outerjoin(RootRow, RootRow.id == CameraRow.root_id)
        .outerjoin(SettingsRow, SettingsRow.id == DecisionRow.settings_id)
        .outerjoin(EnvironmentRow, EnvironmentRow.id == DecisionRow.environment_id)
        .outerjoin(ReasonRow, ReasonRow.id == DecisionRow.reason_id)
        .outerjoin(LabelRow, LabelRow.id == DecisionRow.label_id)
    )


def _facts(connection: Connection, decisions: Sequence[int]) -> dict[int, dict[str, Any]]:
    return _by_number(connection, _THEIR_FACTS, decisions)


def _rows(connection: Connection, decisions: Sequence[int]) -> dict[int, dict[str, Any]]:
    return _by_number(connection, _THEIR_ROWS, decisions)


def _by_number(
    connection: Connection, question: Select[*tuple[Any, ...]], decisions: Sequence[int]
) -> dict[int, dict[str, Any]]:
    return {
        row["id"]: dict(row)
        for chunk in chunks(decisions)
        for row in connection.execute(question, {"decisions": chunk}).mappings()
    }


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What each column that differs was, and what it is."""
    return {name: [value, after[name]] for name, value in before.items() if after[name] != value}


# Built once: they take longer to build than to run.
_THESE: Final = DecisionRow.id.in_(bindparam("decisions", expanding=True))
_THEIR_FACTS: Final = spelled(select(DecisionRow.id, *FACTS.values()).select_from(DecisionRow)).where(_THESE)
_THEIR_ROWS: Final = select(DecisionRow.id, *(FACTS[name] for name in _OWN)).where(_THESE)
_NEWEST: Final = select(EventRow.id, EventRow.digest).order_by(EventRow.id.desc()).limit(1)
_ADDITION: Final = insert(EventRow)
