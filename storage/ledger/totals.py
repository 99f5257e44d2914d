"""The daily totals: what a decision adds to them, told once, by the decision's row itself.

Whoever changes counted rows does so within `recounted`, so the totals are the sums over the rows at every commit.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, case, func, literal, select, type_coerce
from sqlalchemy.dialects.sqlite import Insert, insert

from storage.ledger.schema import COUNTED, DailyObjectRow, DailyTotalRow, DecisionRow, FileRow

DAY: Final = 86_400_000_000
"""Microseconds."""
_OBJECT_SUMS: Final = ("pictures", "objects")


def amounts() -> dict[str, ColumnElement[int]]:
    """What one counted decision adds, by the column of the totals."""
    delivered, saved = as_delivered(), DecisionRow.bytes_before - DecisionRow.bytes_after
    released = case((DecisionRow.released_at.is_not(None), saved), else_=0)
    return {
        "pictures": literal(1),
        "bytes_before": type_coerce(delivered, Integer),
        "bytes_after": type_coerce(DecisionRow.bytes_after, Integer),
        "bytes_freed": delivered - DecisionRow.bytes_before + released,
        "missed_by_watcher": type_coerce(DecisionRow.missed_by_watcher, Integer),
    }


def as_delivered() -> ColumnElement[int]:
    """A picture's bytes as the camera delivered it. A later generation was made from less: the rest is free already."""
    return func.coalesce(DecisionRow.bytes_delivered, DecisionRow.bytes_before)


def keys() -> dict[str, ColumnElement[int]]:
    """The totals' row that a decision adds to."""
    return {
        "day": type_coerce(DecisionRow.decided_at, Integer) // DAY,
        "camera_id": type_coerce(FileRow.camera_id, Integer),
        "settings_id": type_coerce(DecisionRow.settings_id, Integer),
        "reason_id": type_coerce(DecisionRow.reason_id, Integer),
    }


@contextmanager
def recounted(connection: Connection, decisions: Sequence[int]) -> Iterator[None]:
    """Takes the decisions out of the totals and, when the caller has changed their rows, puts them in again."""
    _add(connection, decisions, -1)
    yield
    _add(connection, decisions, +1)


def count(connection: Connection, decisions: Sequence[int]) -> None:
    """Adds decisions whose rows are new."""
    _add(connection, decisions, +1)


def _add(connection: Connection, decisions: Sequence[int], sign: int) -> None:
    for addition in (_ADDITION, _ADDITION_OF_OBJECTS):
        connection.execute(addition, {"decisions": decisions, "sign": sign})


def _addition() -> Insert:
    addition = insert(DailyTotalRow).from_select([*keys(), *amounts()], _contributions())
    table = DailyTotalRow.__table__
    sums = {name: table.c[name] + addition.excluded[name] for name in amounts()}
    return addition.on_conflict_do_update(index_elements=list(keys()), set_=sums)


def _contributions() -> Select[*tuple[int, ...]]:
    signed = [amount * bindparam("sign", type_=Integer) for amount in amounts().values()]
    return (
        select(*keys().values(), *signed)
        .join_from(DecisionRow, FileRow)
        .where(DecisionRow.id.in_(bindparam("decisions", expanding=True)), DecisionRow.state.in_(COUNTED))
    )


def _addition_of_objects() -> Insert:
    addition = insert(DailyObjectRow).from_select(["day", "camera_id", "label", *_OBJECT_SUMS], _objects())
    table = DailyObjectRow.__table__
    sums = {name: table.c[name] + addition.excluded[name] for name in _OBJECT_SUMS}
    return addition.on_conflict_do_update(index_elements=["day", "camera_id", "label"], set_=sums)


def _objects() -> Select[*tuple[Any, ...]]:
    """One row for each class in each decision; an object is a JSON array that begins with its class."""
    found = func.json_each(DecisionRow.evidence_before, "$.objects").table_valued("value")
    label = func.json_extract(found.c.value, "$[0]").label("label")
    sign = bindparam("sign", type_=Integer)
    return (
        select(keys()["day"], keys()["camera_id"], label, sign, sign * func.count())
        .select_from(DecisionRow)
        .join(FileRow)
        .join(found, literal(value=True))
        .where(DecisionRow.id.in_(bindparam("decisions", expanding=True)), DecisionRow.state.in_(COUNTED))
        .group_by(DecisionRow.id, label)
    )


_ADDITION: Final = _addition()
"""Built once: it takes longer to build than to run."""
_ADDITION_OF_OBJECTS: Final = _addition_of_objects()
