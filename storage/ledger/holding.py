"""The rows of legal holds. Each change of one is an event as well, so that none comes or goes in silence."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, type_coerce, update
from sqlalchemy.types import NullType

from storage.actor import who
from storage.ledger.events import BY, Happened, Kind, append, canonical
from storage.ledger.schema import HoldRow
from storage.records import Claim, Hold

HOLD: Final = "hold"
"""In a payload: the whole row of a hold, as it is from then on."""
_CLAIM: Final = tuple(Claim.__dataclass_fields__)


def add(connection: Connection, claim: Claim, at: datetime) -> Hold:
    (number,) = connection.scalars(insert(HoldRow).returning(HoldRow.id), [{"added_at": at, **asdict(claim)}])
    _tell(connection, at, Kind.HOLD_ADDED, number)
    return Hold(number, claim, at)


def remove(connection: Connection, number: int, reason: str, at: datetime) -> None:
    in_force = (HoldRow.id == number, HoldRow.removed_at.is_(None))
    change = update(HoldRow).where(*in_force).values(removed_at=at, removed_reason=reason)
    if connection.execute(change).rowcount != 1:
        raise ValueError(f"no hold {number} is in force")
    _tell(connection, at, Kind.HOLD_REMOVED, number)


def _tell(connection: Connection, at: datetime, kind: Kind, number: int) -> None:
    payload = {HOLD: raw(connection)[number], BY: who()}
    append(connection, at, [Happened(kind, payload=canonical(payload))])


def holds(connection: Connection, *, removed: bool) -> list[Hold]:
    """Those in force or, if wanted, all; by rising number."""
    question = select(HoldRow.__table__).order_by(HoldRow.id)
    if not removed:
        question = question.where(HoldRow.removed_at.is_(None))
    return [_hold(row) for row in connection.execute(question)]


def raw(connection: Connection) -> dict[int, Mapping[str, Any]]:
    """Every hold's row by its number, as SQLite holds it."""
    columns = [type_coerce(column, NullType()).label(name) for name, column in HoldRow.__table__.c.items()]
    return {row["id"]: dict(row) for row in connection.execute(select(*columns)).mappings()}


def _hold(row: Row[*tuple[Any, ...]]) -> Hold:
    claim = Claim(**{name: getattr(row, name) for name in _CLAIM})
    return Hold(row.id, claim, row.added_at, row.removed_at, row.removed_reason)
