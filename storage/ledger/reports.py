"""The sums of a report. Only those by label ask the decisions' rows; all others the daily totals."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, null, select
from sqlalchemy.orm import InstrumentedAttribute

from framekeep.reasons import Reason, Standing
from storage.ledger.answers import Period, Total
from storage.ledger.schema import COUNTED, CameraRow, DailyTotalRow, DecisionRow, LabelRow, ReasonRow, SettingsRow
from storage.ledger.totals import amounts
from storage.records import By

Sums = Counter[str]
"""By field of `Total`."""

FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_FIELD: Final = {
    Standing.REPLACED: "replaced",
    Standing.FINAL: "kept",
    Standing.LATER: "kept",
    Standing.FAILED: "failed",
}
_GROUP: Final[Mapping[By | None, ColumnElement[Any] | InstrumentedAttribute[Any]]] = {
    None: null(),
    "camera": DailyTotalRow.camera_id,
    "day": DailyTotalRow.day,
    "keeper": DailyTotalRow.settings_id,
    "model": DailyTotalRow.settings_id,
    "reason": DailyTotalRow.reason_id,
}
_NAME: Final[Mapping[By | None, InstrumentedAttribute[str]]] = {
    "camera": CameraRow.name,
    "keeper": SettingsRow.keeper,
    "model": SettingsRow.model,
    "reason": ReasonRow.word,
    "label": LabelRow.name,
}


def totals(connection: Connection, by: By | None, period: Period) -> list[Total]:
    sums = _sums(connection, by, period)
    if by is None:
        return [Total(None, **sums.get(None, Sums()))]
    keys = sorted(sums, key=lambda key: key or "")
    return [Total(key, **sums[key]) for key in keys if sums[key]["pictures"]]


def _sums(connection: Connection, by: By | None, period: Period) -> dict[str | None, Sums]:
    """Folds the reasons of each key, and groups that share a name (a camera's in two roots)."""
    names = _names(connection, by)
    reasons = {number: Reason.of(word) for number, word in _names(connection, "reason").items()}
    sums: dict[str | None, Sums] = {}
    for group, reason, *amount in connection.execute(_groups(by, period)):
        key = _day(group) if by == "day" else names.get(group)
        total = sums.setdefault(key, Sums())
        total.update(dict(zip(amounts(), amount, strict=True)))
        total[_FIELD[reasons[reason].standing]] += amount[0]
    return sums


def _names(connection: Connection, by: By | None) -> dict[int, str]:
    if by not in _NAME:
        return {}
    name = _NAME[by]
    return {row.id: row.name for row in connection.execute(select(name.class_.id, name.label("name")))}


def _day(number: int) -> str:
    return date.fromordinal(FIRST_DAY + number).isoformat()


def _groups(by: By | None, period: Period) -> Select[*tuple[Any, ...]]:
    """Rows of a group, a reason and the sums of `amounts`, in their order."""
    return _of_decisions(period) if by == "label" else _of_days(by, period)


def _of_days(by: By | None, period: Period) -> Select[*tuple[Any, ...]]:
    group = _GROUP[by]
    sums = [func.sum(DailyTotalRow.__table__.c[name]) for name in amounts()]
    question = select(group, DailyTotalRow.reason_id, *sums).group_by(group, DailyTotalRow.reason_id)
    if period.since:
        question = question.where(DailyTotalRow.day >= period.since.toordinal() - FIRST_DAY)
    if period.until:
        question = question.where(DailyTotalRow.day < period.until.toordinal() - FIRST_DAY)
    return question


def _of_decisions(period: Period) -> Select[*tuple[Any, ...]]:
    sums = [func.sum(amount) for amount in amounts().values()]
    question = select(DecisionRow.label_id, DecisionRow.reason_id, *sums).where(DecisionRow.state.in_(COUNTED))
    if period.since:
        question = question.where(DecisionRow.decided_at >= datetime.combine(period.since, time(), UTC))
    if period.until:
        question = question.where(DecisionRow.decided_at < datetime.combine(period.until, time(), UTC))
    return question.group_by(DecisionRow.label_id, DecisionRow.reason_id)
