"""Which pictures a legal hold may cover, by root and camera: the rest of its claim is for storage/holds.py to tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, case, or_, select

from framekeep.reasons import Reason
from storage.ledger.schema import CameraRow, DecisionRow, FileRow, ReasonRow, RootRow, State
from storage.records import Claim, Place

_ROWS_AT_ONCE: Final = 500
_NOT_DELIVERED: Final = (Reason.ALREADY_SHRUNK.word, Reason.GONE.word)
"""Kept, but no picture as a camera delivered it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A picture, with the time of its file as the ledger knows it."""

    place: Place
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Bereft:
    """A replacement whose original is no more."""

    place: Place
    decision: int
    sha256_after: bytes
    mtime_ns: int | None
    """That of its original; None where a later decision knows of another file at the path."""


def untouched(connection: Connection, claim: Claim) -> Iterator[Delivered]:
    """Each path whose last decision was to keep what was delivered."""
    pictures = select(RootRow.path, FileRow.path, FileRow.mtime_ns).select_from(FileRow)
    last = pictures.join(DecisionRow, DecisionRow.id == FileRow.decision_id).join(ReasonRow)
    kept = last.where(DecisionRow.sha256_after.is_(None), ReasonRow.word.not_in(_NOT_DELIVERED))
    kept = kept.where(DecisionRow.bytes_delivered.is_(None))  # else what was restored is a variant
    for root, path, mtime_ns in _rows(connection, kept, claim):
        yield Delivered(Place(root, path), mtime_ns)


def released(connection: Connection, claim: Claim) -> Iterator[Bereft]:
    """Each decision whose original was released, or was no longer there when a lost ledger was rebuilt.

    Of those that took each other's places the last one.
    """
    mtime_ns = case((FileRow.decision_id == DecisionRow.id, FileRow.mtime_ns))
    columns = (RootRow.path, FileRow.path, DecisionRow.id, DecisionRow.sha256_after, mtime_ns)
    decisions = select(*columns).select_from(FileRow).join(DecisionRow, DecisionRow.file_id == FileRow.id)
    lost = (ReasonRow.word == Reason.ADOPTED.word) & DecisionRow.vault_entry.is_(None)
    gone = decisions.join(ReasonRow).where(
        or_(DecisionRow.released_at.is_not(None), lost, DecisionRow.generation > 1),
        DecisionRow.state != State.SUCCEEDED,
    )
    for root, path, *rest in _rows(connection, gone, claim):
        yield Bereft(Place(root, path), *rest)


def _rows(connection: Connection, question: Select[*tuple[Any, ...]], claim: Claim) -> Iterator[Row[*tuple[Any, ...]]]:
    """Asks about files, in the claim's root and camera."""
    concerned = question.join(CameraRow, CameraRow.id == FileRow.camera_id).join(RootRow)
    if claim.root is not None:
        concerned = concerned.where(RootRow.path == claim.root)
    if claim.camera is not None:
        concerned = concerned.where(CameraRow.name == claim.camera)
    yield from connection.execute(concerned.execution_options(yield_per=_ROWS_AT_ONCE))
