"""What the pipeline, recovery, the vault and a restore ask of the ledger."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    case,
    func,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import aliased

from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger import clock
from storage.ledger.columns import MICROSECOND
from storage.ledger.schema import (
    CameraRow,
    DecisionRow,
    FileRow,
    PlanRow,
    ReasonRow,
    RestorationRow,
    RootRow,
    SettingsRow,
    State,
    TriedRow,
)
from storage.records import Known, Place, Planned, VaultEntry

T = TypeVar("T")

_NONE: Final = frozenset[str]()
_CHUNK: Final = 500
"""Values in one IN: enough to be fast, few enough for any build of SQLite."""

# Built once: the questions of each picture's way take longer to build than to answer.
_KNOWN: Final = (
    select(
        (RootRow.path == bindparam("root")).label("is_here"),
        *(FileRow.path, FileRow.size, FileRow.mtime_ns, FileRow.ctime_ns, FileRow.inode),
        *(SettingsRow.fingerprint, ReasonRow.word, DecisionRow.sha256_before, DecisionRow.id),
        SettingsRow.stage,
    )
    .join_from(FileRow, CameraRow)
    .join(RootRow)
    .join(DecisionRow, DecisionRow.id == FileRow.decision_id)
    .join(SettingsRow)
    .join(ReasonRow)
    .where(FileRow.path.in_(bindparam("paths", expanding=True)))
)
_ANY_TRIED: Final = select(TriedRow.decision_id).limit(1)
_WROTE: Final = select(DecisionRow.sha256_after).where(
    DecisionRow.sha256_after.is_not(None), DecisionRow.sha256_after.in_(bindparam("sha256s", expanding=True))
)
_BEFORE: Final = select(DecisionRow.sha256_before).where(
    DecisionRow.sha256_before.in_(bindparam("sha256s", expanding=True))
)
_RESTORED: Final = _BEFORE.where(DecisionRow.restores.is_not(None))
_BEING_RESTORED: Final = _BEFORE.where(DecisionRow.id.in_(select(RestorationRow.decision_id)))


def known(connection: Connection, root: str, paths: Sequence[str]) -> dict[str, Known]:
    return {path: fact for chunk in chunks(paths) for path, fact in _known(connection, root, chunk)}


def _known(connection: Connection, root: str, paths: Sequence[str]) -> Iterator[tuple[str, Known]]:
    rows = connection.execute(_KNOWN, {"root": root, "paths": paths}).all()
    tried = _tried(connection, rows)
    # Another root rarely has the same path; asked for the root, SQLite would go through all of its cameras.
    for is_here, path, size, mtime_ns, ctime_ns, inode, fingerprint, word, sha256, decision, stage in rows:
        if is_here:
            identity = FileIdentity(size, mtime_ns, ctime_ns, inode)
            before = tried.get(decision, _NONE)
            yield path, Known(identity, fingerprint, Reason.of(word), sha256, decision, stage, before)


def _tried(connection: Connection, decided: Sequence[Row[*tuple[Any, ...]]]) -> dict[int, frozenset[str]]:
    """The fingerprints of later stages that were tried, by decision. Mostly there are none: that costs nothing."""
    if connection.scalar(_ANY_TRIED) is None:
        return {}
    question = select(TriedRow.decision_id, SettingsRow.fingerprint).join(SettingsRow)
    rows = connection.execute(question.where(TriedRow.decision_id.in_([row.id for row in decided])))
    tried: dict[int, frozenset[str]] = {}
    for decision, fingerprint in rows:
        tried[decision] = tried.get(decision, _NONE) | {fingerprint}
    return tried


def wrote(connection: Connection, sha256s: Sequence[bytes]) -> set[bytes]:
    """Which of these contents framekeep wrote or was about to write. Undone ones count: copies may be about."""
    return _found(connection, sha256s, _WROTE)


def restored(connection: Connection, sha256s: Sequence[bytes]) -> set[bytes]:
    """Which of these contents an administrator put back, or is putting back at this moment."""
    return _found(connection, sha256s, _RESTORED) | _found(connection, sha256s, _BEING_RESTORED)


def _found(connection: Connection, sha256s: Sequence[bytes], question: Select[bytes | None]) -> set[bytes]:
    return {
        sha256 for chunk in chunks(sha256s) for sha256 in connection.scalars(question, {"sha256s": chunk}) if sha256
    }


def pending(connection: Connection) -> list[Planned]:
    """The replacements that were planned and neither confirmed nor abandoned, oldest first."""
    stood = aliased(DecisionRow)
    rows = connection.execute(
        select(
            *(DecisionRow.id, RootRow.path, FileRow.path),
            *(PlanRow.size, PlanRow.mtime_ns, PlanRow.ctime_ns, PlanRow.inode),
            *(DecisionRow.sha256_before, DecisionRow.sha256_after, DecisionRow.vault_entry),
            # where what stood is what was read, it comes out of the exchange as an original does
            case((stood.sha256_after == DecisionRow.sha256_before, None), else_=stood.sha256_after),
        )
        .join_from(PlanRow, DecisionRow, DecisionRow.id == PlanRow.decision_id)
        .outerjoin(stood, stood.id == DecisionRow.succeeds)
        .join(FileRow, FileRow.id == DecisionRow.file_id)
        .join(CameraRow)
        .join(RootRow)
        .where(DecisionRow.id.in_(select(PlanRow.decision_id)))  # else SQLite would go through all decisions
        .order_by(DecisionRow.id)
    )
    return [_planned(row) for row in rows]


def _planned(row: Row[*tuple[Any, ...]]) -> Planned:
    decision, root, path, size, mtime_ns, ctime_ns, inode, *rest = row
    return Planned(decision, Place(root, path), FileIdentity(size, mtime_ns, ctime_ns, inode), *rest)


def due(
    connection: Connection, now: datetime, limit: int, roots: Sequence[str], after: VaultEntry | None
) -> list[VaultEntry]:
    question = _due(connection, now, roots).order_by(DecisionRow.release_at, DecisionRow.id).limit(limit)
    if after:
        question = question.where(tuple_(DecisionRow.release_at, DecisionRow.id) > (after.release_at, after.decision))
    return [entry_of_row(row) for row in connection.execute(question)]


def due_sums(connection: Connection, now: datetime, roots: Sequence[str]) -> tuple[int, int]:
    """How many are due, and the bytes of their originals."""
    overdue = _due(connection, now, roots).subquery()
    question = select(func.count(), func.coalesce(func.sum(overdue.c.bytes_before), 0)).select_from(overdue)
    originals, size = connection.execute(question).one()
    return originals, size


def _due(connection: Connection, now: datetime, roots: Sequence[str]) -> Select[*tuple[Any, ...]]:
    question = held().where(DecisionRow.release_at <= now, RootRow.path.in_(roots))
    set_at = clock.set_at(connection)
    if set_at is None:
        return question
    held_for = type_coerce(DecisionRow.release_at, Integer) - type_coerce(DecisionRow.decided_at, Integer)
    return question.where(held_for <= (now - set_at) // MICROSECOND)


def entry_of(connection: Connection, root: str, path: str) -> VaultEntry | None:
    """The newest held original of a path."""
    question = held().where(FileRow.path == path, RootRow.path == root).order_by(DecisionRow.id.desc()).limit(1)
    row = connection.execute(question).one_or_none()
    return entry_of_row(row) if row else None


def entry(connection: Connection, decision: int) -> VaultEntry | None:
    """The original of a decision, while the vault holds it."""
    row = connection.execute(held().where(DecisionRow.id == decision)).one_or_none()
    return entry_of_row(row) if row else None


def held() -> Select[*tuple[Any, ...]]:
    """A question for the originals that the vault holds, whose rows `entry_of_row` reads.

    Not one that a later stage, which is planned, is about to take over.
    """
    return (
        select(
            *(DecisionRow.id, RootRow.path, FileRow.path, DecisionRow.vault_entry),
            *(DecisionRow.sha256_before, DecisionRow.sha256_after),
            *(DecisionRow.bytes_before, DecisionRow.bytes_after, DecisionRow.release_at),
            DecisionRow.generation,
        )
        .join_from(DecisionRow, FileRow)
        .join(CameraRow)
        .join(RootRow)
        .where(DecisionRow.vault_entry.is_not(None), DecisionRow.state == State.CONFIRMED)
        .where(DecisionRow.id.not_in(claimed()))
    )


def claimed() -> ScalarSelect[int | None]:
    """The decisions whose places planned ones are about to take."""
    later = aliased(DecisionRow)
    planned = later.id.in_(select(PlanRow.decision_id))
    return select(later.succeeds).where(planned, later.succeeds.is_not(None)).scalar_subquery()


def entry_of_row(row: Row[*tuple[Any, ...]]) -> VaultEntry:
    decision, root, path, *rest = row
    return VaultEntry(decision, Place(root, path), *rest)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
