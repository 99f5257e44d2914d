"""What the ledger promises of each replacement: its variant is at its path, its original is held. For verifications."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.schema import CameraRow, DecisionRow, FileRow, LabelRow, ReasonRow, RootRow, SettingsRow, State
from storage.records import Place, VaultEntry

_AFTER_SLASH: Final = "0"
"""The character behind "/": paths below a folder lie between "folder/" and "folder0"."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A confirmed replacement, as the ledger promises it."""

    decision: int
    place: Place
    reason: Reason
    keeper: str
    min_confidence: float
    model_digest: str
    model_use: str
    objects: str
    label: str | None
    evidence_before: str | None
    rung: str | None
    regions: str | None
    sha256_before: bytes
    sha256_after: bytes
    bytes_before: int
    bytes_after: int
    held: VaultEntry | None
    """The original, while the vault has it."""
    identity: FileIdentity | None
    """The variant's at its path; None where a later decision knows of another file there."""
    generation: int = 1
    """More than 1: it was made from a variant, which the vault holds in the original's place."""


def promises(connection: Connection, below: Place, after: int, limit: int) -> list[Promise]:
    """Replacements below a place ("" for the whole root) with a number above `after`, by rising number."""
    question = _promised().where(DecisionRow.id > after, RootRow.path == below.root, *_below(below.path))
    return [_promise(row) for row in connection.execute(question.order_by(DecisionRow.id).limit(limit))]


def promise(connection: Connection, decision: int) -> Promise | None:
    """One replacement, as it is promised now; None where nothing is promised any more."""
    row = connection.execute(_promised().where(DecisionRow.id == decision)).one_or_none()
    return None if row is None else _promise(row)


def count(connection: Connection, below: Place) -> int:
    """How many there are below a place."""
    inside = _promised().where(RootRow.path == below.root, *_below(below.path)).subquery()
    return connection.scalars(select(func.count()).select_from(inside)).one()


def entries(connection: Connection, root: str) -> set[str]:
    """The names of all originals in a root's vault that any decision knows of, also one that is only planned."""
    question = select(DecisionRow.vault_entry).join_from(DecisionRow, FileRow).join(CameraRow).join(RootRow)
    named = question.where(DecisionRow.vault_entry.is_not(None), RootRow.path == root)
    return {entry for entry in connection.scalars(named) if entry}


def _promised() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(DecisionRow.id, RootRow.path.label("root"), FileRow.path, ReasonRow.word),
            *(SettingsRow.keeper, SettingsRow.min_confidence, SettingsRow.model_digest),
            *(SettingsRow.model_use, SettingsRow.objects),
            LabelRow.name.label("label"),
            *(
                DecisionRow.evidence_before,
                DecisionRow.rung,
                DecisionRow.regions,
                DecisionRow.sha256_before,
                DecisionRow.sha256_after,
            ),
            *(DecisionRow.bytes_before, DecisionRow.bytes_after, DecisionRow.vault_entry, DecisionRow.release_at),
            DecisionRow.generation,
            *(FileRow.decision_id, FileRow.size, FileRow.mtime_ns, FileRow.ctime_ns, FileRow.inode),
        )
        .join_from(DecisionRow, FileRow)
        .join(CameraRow)
        .join(RootRow)
        .join(SettingsRow)
        .join(ReasonRow)
        .outerjoin(LabelRow)
        .where(
            DecisionRow.state == State.CONFIRMED,
            DecisionRow.sha256_after.is_not(None),
            or_(FileRow.decision_id == DecisionRow.id, DecisionRow.vault_entry.is_not(None)),
        )
    )


def _below(path: str) -> list[ColumnElement[bool]]:
    if not path:
        return []
    inside = (FileRow.path >= f"{path}/") & (FileRow.path < f"{path}{_AFTER_SLASH}")
    return [or_(FileRow.path == path, inside)]


def _promise(row: Row[*tuple[Any, ...]]) -> Promise:
    place = Place(row.root, row.path)
    held = VaultEntry(
        *(row.id, place, row.vault_entry, row.sha256_before, row.sha256_after),
        *(row.bytes_before, row.bytes_after, row.release_at, row.generation),
    )
    identity = FileIdentity(row.size, row.mtime_ns, row.ctime_ns, row.inode)
    return Promise(
        decision=row.id,
        place=place,
        reason=Reason.of(row.word),
        keeper=row.keeper,
        min_confidence=row.min_confidence,
        model_digest=row.model_digest,
        model_use=row.model_use,
        objects=row.objects,
        label=row.label,
        evidence_before=row.evidence_before,
        rung=row.rung,
        regions=row.regions,
        sha256_before=row.sha256_before,
        sha256_after=row.sha256_after,
        bytes_before=row.bytes_before,
        bytes_after=row.bytes_after,
        held=held if row.vault_entry is not None else None,
        identity=identity if row.decision_id == row.id else None,
        generation=row.generation,
    )
