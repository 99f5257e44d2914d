"""The ledger's tables. What many rows share (a label, a reason's word, settings) is stored once and has a number."""

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, ClassVar, Final

from sqlalchemy import Double, ForeignKey, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.ledger.columns import Instant, Nanoseconds, PathBytes, Unsigned, Words

REVISIONS: Final = ("0001",)
"""Every revision of this schema, oldest first, so that readers need not load alembic to know their own."""


class State(IntEnum):
    """Where a decision's row is in its life."""

    PLANNED = 0
    """A replacement that is durable here, and not known yet to have happened."""
    CONFIRMED = 1
    ABANDONED = 2
    """The swap did not happen: the row tells of a kept picture now."""
    UNDONE = 3
    """The original was put back; a row of its own, with `restores`, tells so."""
    SUCCEEDED = 4
    """A later stage's decision, with `succeeds`, has taken its place and has its original in the vault."""


COUNTED: Final = (State.CONFIRMED, State.ABANDONED)
"""The states in which a decision is part of the daily totals."""

Number = Annotated[int, mapped_column(primary_key=True)]
PathText = Annotated[str, mapped_column(PathBytes)]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Words, float: Double, datetime: Instant}


class Shared(Base):
    """A table of values that many rows share."""

    __abstract__ = True
    id: Mapped[Number]


class RootRow(Shared):
    __tablename__ = "root"
    path: Mapped[str] = mapped_column(PathBytes, unique=True)


class CameraRow(Shared):
    __tablename__ = "camera"
    __table_args__ = (Index("camera_name", "root_id", "name", unique=True),)
    root_id: Mapped[int] = mapped_column(ForeignKey("root.id"))
    name: Mapped[PathText]


class SettingsRow(Shared):
    __tablename__ = "settings"
    fingerprint: Mapped[str] = mapped_column(unique=True)
    keeper: Mapped[str]
    min_confidence: Mapped[float]
    ladder: Mapped[str]
    min_saving: Mapped[float]
    subsampling: Mapped[str]
    progressive: Mapped[bool]
    model: Mapped[str]
    model_digest: Mapped[str]
    model_use: Mapped[str]
    objects: Mapped[str]
    known_labels: Mapped[str]
    floor_quality: Mapped[int]
    search: Mapped[str]
    region_rule: Mapped[str]
    limits: Mapped[str]
    stage: Mapped[float]


class EnvironmentRow(Shared):
    """What the decision was made with, besides the settings."""

    __tablename__ = "environment"
    __table_args__ = (Index("environment_whole", "device", "versions", unique=True),)
    device: Mapped[str]
    versions: Mapped[str]


class LabelRow(Shared):
    __tablename__ = "label"
    name: Mapped[str] = mapped_column(unique=True)


class ReasonRow(Shared):
    __tablename__ = "reason"
    word: Mapped[str] = mapped_column(unique=True)


class IdentityColumns:
    """A `FileIdentity`."""

    size: Mapped[int]
    mtime_ns: Mapped[int] = mapped_column(Nanoseconds)
    ctime_ns: Mapped[int] = mapped_column(Nanoseconds)
    inode: Mapped[int] = mapped_column(Unsigned)


class FileRow(IdentityColumns, Base):
    """The last known state of a path, which is relative to the root.

    A path tells its camera, so (path, camera) is unique just where (root, path) is.
    """

    __tablename__ = "file"
    __table_args__ = (Index("file_path", "path", "camera_id", unique=True),)
    id: Mapped[Number]
    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id"))
    path: Mapped[PathText]
    decision_id: Mapped[int | None]
    """The last decision that is not planned. No foreign key, which would make a circle with the decision's."""


class DecisionRow(Base):
    """One decision. For a kept picture `sha256_after`, `rung` and all that tells of the vault are null."""

    __tablename__ = "decision"
    __table_args__ = (
        Index("decision_file", "file_id"),
        Index("decision_newest", "decided_at"),
        Index("decision_wrote", "sha256_after", sqlite_where=text("sha256_after IS NOT NULL")),
        Index("decision_restored", "sha256_before", sqlite_where=text("restores IS NOT NULL")),
        Index("decision_due", "release_at", sqlite_where=text("vault_entry IS NOT NULL")),
    )
    id: Mapped[Number]
    file_id: Mapped[int] = mapped_column(ForeignKey("file.id"))
    settings_id: Mapped[int] = mapped_column(ForeignKey("settings.id"))
    environment_id: Mapped[int] = mapped_column(ForeignKey("environment.id"))
    reason_id: Mapped[int] = mapped_column(ForeignKey("reason.id"))
    label_id: Mapped[int | None] = mapped_column(ForeignKey("label.id"))
    state: Mapped[int]
    decided_at: Mapped[datetime]
    rung: Mapped[str | None]
    quality: Mapped[int | None]
    bytes_before: Mapped[int]
    bytes_after: Mapped[int]
    sha256_before: Mapped[bytes | None]
    sha256_after: Mapped[bytes | None]
    probability: Mapped[float | None]
    evidence_before: Mapped[str | None]
    evidence_after: Mapped[str | None]
    regions: Mapped[str | None]
    vault_entry: Mapped[str | None] = mapped_column(PathBytes)
    """Null as soon as the vault holds the original no longer."""
    release_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    restores: Mapped[int | None]
    """The decision that a restoration undid."""
    succeeds: Mapped[int | None]
    """The decision whose variant this one's takes the place of, at a later stage."""
    generation: Mapped[int]
    """1 where it was made from the camera's original; a variant's variant has one more than that variant's."""
    bytes_delivered: Mapped[int | None]
    """Of a later generation: the picture's bytes as the camera delivered it. Null: `bytes_before`."""
    missed_by_watcher: Mapped[bool]
    note: Mapped[str]
    ms_read: Mapped[int]
    ms_climb: Mapped[int]
    ms_look: Mapped[int]
    ms_write: Mapped[int]


class PlanRow(IdentityColumns, Base):
    """The file that a planned decision looked at. The row goes when the decision is confirmed or abandoned."""

    __tablename__ = "plan"
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), primary_key=True)


class RestorationRow(Base):
    """A restoration that was begun and not ended: it is under way, or a crash came between."""

    __tablename__ = "restoration"
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), primary_key=True)
    begun_at: Mapped[datetime]


class ModelRow(Base):
    """A model of record as a start met it. The newest row of a name is the one that a start has to match."""

    __tablename__ = "model"
    __table_args__ = (Index("model_name", "name"),)
    id: Mapped[Number]
    name: Mapped[str]
    digest: Mapped[str]
    classes: Mapped[str]
    transform: Mapped[str]
    since: Mapped[datetime]


class BreakerRow(Base):
    """An opening of the breaker; null in `resumed_at`: it is open still."""

    __tablename__ = "breaker"
    id: Mapped[Number]
    root: Mapped[PathText]
    camera: Mapped[str | None] = mapped_column(PathBytes)
    """Null: every camera of the root."""
    cause: Mapped[str]
    opened_at: Mapped[datetime]
    resumed_at: Mapped[datetime | None]
    resume_reason: Mapped[str | None]


class SecondLookRow(Base):
    """Whether a second model sees the same label in a replaced picture's original and in its variant."""

    __tablename__ = "second_look"
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), primary_key=True)
    model: Mapped[str]
    agrees: Mapped[bool]
    looked_at: Mapped[datetime]


class TriedRow(Base):
    """A later stage that was tried and changed nothing, while a decision was the last one of its path."""

    __tablename__ = "tried"
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), primary_key=True)
    settings_id: Mapped[int] = mapped_column(ForeignKey("settings.id"), primary_key=True)
    reason_id: Mapped[int] = mapped_column(ForeignKey("reason.id"))
    note: Mapped[str]
    tried_at: Mapped[datetime]


class ChoreRow(Base):
    """When a job that comes round in days was last done."""

    __tablename__ = "chore"
    name: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]


class EventRow(Base):
    """One link of the chain (storage/ledger/events.py). Triggers refuse to change or delete it."""

    __tablename__ = "event"
    __table_args__ = (Index("event_decision", "decision_id", sqlite_where=text("decision_id IS NOT NULL")),)
    id: Mapped[Number]
    at: Mapped[datetime]
    kind: Mapped[str]
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    payload: Mapped[str]
    digest: Mapped[bytes]


class HoldRow(Base):
    """A legal hold, on all that it covers (storage/holds.py). Null in `removed_at`: it is in force."""

    __tablename__ = "hold"
    id: Mapped[Number]
    added_at: Mapped[datetime]
    root: Mapped[str | None] = mapped_column(PathBytes)
    camera: Mapped[str | None] = mapped_column(PathBytes)
    pattern: Mapped[str | None] = mapped_column(PathBytes)
    since: Mapped[datetime | None]
    until: Mapped[datetime | None]
    reason: Mapped[str]
    case_number: Mapped[str | None]
    removed_at: Mapped[datetime | None]
    removed_reason: Mapped[str | None]


class DailyTotalRow(Base):
    """Sums over the counted decisions of one UTC day (days since 1970), changed with them in one transaction."""

    __tablename__ = "daily_total"
    __table_args__ = ({"sqlite_with_rowid": False},)
    day: Mapped[Number]
    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id"), primary_key=True)
    settings_id: Mapped[int] = mapped_column(ForeignKey("settings.id"), primary_key=True)
    reason_id: Mapped[int] = mapped_column(ForeignKey("reason.id"), primary_key=True)
    pictures: Mapped[int]
    bytes_before: Mapped[int]
    bytes_after: Mapped[int]
    bytes_freed: Mapped[int]
    """Counts when the vault releases the original, on the day of the decision."""
    missed_by_watcher: Mapped[int]


class DailyObjectRow(Base):
    """How many objects the counted decisions of one UTC day found in their originals, by class."""

    __tablename__ = "daily_object"
    __table_args__ = ({"sqlite_with_rowid": False},)
    day: Mapped[Number]
    camera_id: Mapped[int] = mapped_column(ForeignKey("camera.id"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    pictures: Mapped[int]
    objects: Mapped[int]
