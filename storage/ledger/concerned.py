"""Which pictures a legal hold may cover, by root and camera: the rest of its claim is for storage/holds.py to tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from storage.ledger.schema import CameraRow, DecisionRow, FileRow, RootRow
from storage.records import Claim, Place

_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Delivered:
    """A picture, with the time of its file as the ledger knows it: a variant has that of its original."""

    place: Place
    mtime_ns: int


def untouched(connection: Connection, claim: Claim) -> Iterator[Delivered]:
    question = _pictures(claim).join(DecisionRow, DecisionRow.id == FileRow.decision_id)
    return _delivered(connection, question.where(DecisionRow.sha256_after.is_(None)))


def released(connection: Connection, claim: Claim) -> Iterator[Delivered]:
    question = _pictures(claim).join(DecisionRow, DecisionRow.file_id == FileRow.id)
    return _delivered(connection, question.where(DecisionRow.released_at.is_not(None)))


def _pictures(claim: Claim) -> Select[*tuple[Any, ...]]:
    pictures = select(RootRow.path, FileRow.path, FileRow.mtime_ns).select_from(FileRow).join(CameraRow).join(RootRow)
    if claim.root is not None:
        pictures = pictures.where(RootRow.path == claim.root)
    if claim.camera is not None:
        pictures = pictures.where(CameraRow.name == claim.camera)
    return pictures


def _delivered(connection: Connection, question: Select[*tuple[Any, ...]]) -> Iterator[Delivered]:
    for root, path, mtime_ns in connection.execute(question.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield Delivered(Place(root, path), mtime_ns)
