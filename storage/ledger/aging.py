"""Which pictures can go on to a later stage, and which originals can go before their time: the oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select, tuple_
from sqlalchemy.orm import aliased

from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger import clock
from storage.ledger.lookups import entry_of_row, held
from storage.ledger.schema import CameraRow, DecisionRow, FileRow, ReasonRow, RootRow, SettingsRow, State
from storage.records import VaultEntry


@dataclass(frozen=True, slots=True)
class Aging:
    """A picture that was shrunk, at an earlier stage than some other, and whose original the vault holds."""

    file: int
    path: str
    identity: FileIdentity
    bytes_before: int
    """Its original's, which the vault holds."""


def aging(connection: Connection, root: str, last_stage: float, after: Aging | None, limit: int) -> list[Aging]:
    """Those of a root that have not reached the last stage, by rising time, or those that follow one.

    Also where the last decision only found again what another one had put there.
    """
    last = aliased(DecisionRow)
    found_again = select(ReasonRow.id).where(ReasonRow.word == Reason.ALREADY_SHRUNK.word).scalar_subquery()
    question = (
        select(
            FileRow.id,
            FileRow.path,
            FileRow.size,
            FileRow.mtime_ns,
            FileRow.ctime_ns,
            FileRow.inode,
            DecisionRow.bytes_before,
        )
        .join_from(FileRow, last, last.id == FileRow.decision_id)
        .join(SettingsRow, SettingsRow.id == last.settings_id)
        .join(DecisionRow, DecisionRow.file_id == FileRow.id)
        .join(CameraRow, CameraRow.id == FileRow.camera_id)
        .join(RootRow, RootRow.id == CameraRow.root_id)
        .where(RootRow.path == root, SettingsRow.stage < last_stage)
        .where(DecisionRow.state == State.CONFIRMED, DecisionRow.vault_entry.is_not(None))
        .where(
            or_(
                DecisionRow.id == last.id,
                and_(last.reason_id == found_again, last.sha256_before == DecisionRow.sha256_after),
            )
        )
        .order_by(FileRow.mtime_ns, FileRow.id)
        .limit(limit)
    )
    if after:
        question = question.where(tuple_(FileRow.mtime_ns, FileRow.id) > (after.identity.mtime_ns, after.file))
    rows = connection.execute(question)
    return [Aging(file, path, FileIdentity(*identity), size) for file, path, *identity, size in rows]


def held_since(
    connection: Connection, before: datetime, roots: Sequence[str], after: int, limit: int
) -> list[VaultEntry]:
    """Originals of decisions that were made before a moment, with a number above `after`, by rising number.

    None where the clock was set since that moment: when anything was decided is not sure then.
    """
    if (set_at := clock.set_at(connection)) and set_at > before:
        return []
    question = held().where(DecisionRow.decided_at <= before, RootRow.path.in_(roots), DecisionRow.id > after)
    return [entry_of_row(row) for row in connection.execute(question.order_by(DecisionRow.id).limit(limit))]
