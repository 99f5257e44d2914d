"""How many objects were found, and so kept: by class and camera, from sums that are as up to date as the decisions."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from storage.ledger.answers import Period
from storage.ledger.reports import FIRST_DAY
from storage.ledger.schema import CameraRow, DailyObjectRow


@dataclass(frozen=True, slots=True)
class ObjectTotal:
    """Objects of one class in one camera's pictures, as the originals showed them, and in how many pictures."""

    label: str
    camera: str
    pictures: int
    objects: int


def object_totals(connection: Connection, period: Period) -> list[ObjectTotal]:
    """By class and camera; cameras of the same name in two roots are one, as in reports."""
    row = DailyObjectRow
    keys = (row.label, CameraRow.name)
    question = select(*keys, func.sum(row.pictures), func.sum(row.objects)).join_from(row, CameraRow).group_by(*keys)
    if period.since:
        question = question.where(row.day >= period.since.toordinal() - FIRST_DAY)
    if period.until:
        question = question.where(row.day < period.until.toordinal() - FIRST_DAY)
    found = [ObjectTotal(*found) for found in connection.execute(question)]
    return sorted((one for one in found if one.objects), key=lambda one: (one.label, one.camera))
