"""The first ledger."""

from alembic import op
from sqlalchemy import Boolean, Column, Double, ForeignKey, Integer, LargeBinary, Text, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    _shared()
    _files()
    _decisions()
    _daily_totals()
    _events()
    _holds()
    _watchfulness()


def _shared() -> None:
    op.create_table("root", _number(), Column("path", LargeBinary, nullable=False, unique=True))
    op.create_table("camera", _number(), _reference("root"), Column("name", LargeBinary, nullable=False))
    op.create_index("camera_name", "camera", ["root_id", "name"], unique=True)
    op.create_table(
        "settings",
        _number(),
        Column("fingerprint", Text, nullable=False, unique=True),
        Column("keeper", Text, nullable=False),
        Column("min_confidence", Double, nullable=False),
        Column("ladder", Text, nullable=False),
        Column("min_saving", Double, nullable=False),
        Column("subsampling", Text, nullable=False),
        Column("progressive", Boolean, nullable=False),
        Column("model", Text, nullable=False),
        Column("model_digest", Text, nullable=False),
        Column("model_use", Text, nullable=False),
        Column("objects", Text, nullable=False),
        Column("known_labels", Text, nullable=False),
        Column("floor_quality", Integer, nullable=False),
        Column("search", Text, nullable=False),
        Column("region_rule", Text, nullable=False),
        Column("limits", Text, nullable=False),
        Column("stage", Double, nullable=False),
    )
    op.create_table("environment", _number(), *(Column(name, Text, nullable=False) for name in ("device", "versions")))
    op.create_index("environment_whole", "environment", ["device", "versions"], unique=True)
    op.create_table("label", _number(), Column("name", Text, nullable=False, unique=True))
    op.create_table("reason", _number(), Column("word", Text, nullable=False, unique=True))


def _files() -> None:
    op.create_table(
        "file",
        _number(),
        _reference("camera"),
        Column("path", LargeBinary, nullable=False),
        *_identity(),
        Column("decision_id", Integer),
    )
    op.create_index("file_path", "file", ["path", "camera_id"], unique=True)


def _decisions() -> None:
    op.create_table(
        "decision",
        _number(),
        *(_reference(table) for table in ("file", "settings", "environment", "reason")),
        Column("label_id", Integer, ForeignKey("label.id")),
        Column("state", Integer, nullable=False),
        Column("decided_at", Integer, nullable=False),
        Column("rung", Text),
        Column("quality", Integer),
        Column("bytes_before", Integer, nullable=False),
        Column("bytes_after", Integer, nullable=False),
        Column("sha256_before", LargeBinary),
        Column("sha256_after", LargeBinary),
        Column("probability", Double),
        Column("evidence_before", Text),
        Column("evidence_after", Text),
        Column("regions", Text),
        Column("vault_entry", LargeBinary),
        Column("release_at", Integer),
        Column("released_at", Integer),
        Column("restores", Integer),
        Column("succeeds", Integer),
        Column("generation", Integer, nullable=False),
        Column("bytes_delivered", Integer),
        Column("missed_by_watcher", Boolean, nullable=False),
        Column("note", Text, nullable=False),
        *(Column(f"ms_{stage}", Integer, nullable=False) for stage in ("read", "climb", "look", "write")),
    )
    op.create_index("decision_file", "decision", ["file_id"])
    op.create_index("decision_newest", "decision", ["decided_at"])
    _partial_index("decision_wrote", "sha256_after", "sha256_after IS NOT NULL")
    _partial_index("decision_restored", "sha256_before", "restores IS NOT NULL")
    _partial_index("decision_due", "release_at", "vault_entry IS NOT NULL")
    op.create_table("plan", Column("decision_id", Integer, ForeignKey("decision.id"), primary_key=True), *_identity())
    op.create_table(
        "restoration",
        Column("decision_id", Integer, ForeignKey("decision.id"), primary_key=True),
        Column("begun_at", Integer, nullable=False),
    )


def _daily_totals() -> None:
    keys = ("camera", "settings", "reason")
    sums = ("pictures", "bytes_before", "bytes_after", "bytes_freed", "missed_by_watcher")
    op.create_table(
        "daily_total",
        Column("day", Integer, primary_key=True),
        *(Column(f"{key}_id", Integer, ForeignKey(f"{key}.id"), primary_key=True) for key in keys),
        *(Column(name, Integer, nullable=False) for name in sums),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "daily_object",
        Column("day", Integer, primary_key=True),
        Column("camera_id", Integer, ForeignKey("camera.id"), primary_key=True),
        Column("label", Text, primary_key=True),
        *(Column(name, Integer, nullable=False) for name in ("pictures", "objects")),
        sqlite_with_rowid=False,
    )


def _watchfulness() -> None:
    """What is remembered so that mass mistakes are noticed."""
    op.create_table(
        "model",
        _number(),
        Column("name", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("classes", Text, nullable=False),
        Column("transform", Text, nullable=False),
        Column("since", Integer, nullable=False),
    )
    op.create_index("model_name", "model", ["name"])
    op.create_table(
        "breaker",
        _number(),
        Column("root", LargeBinary, nullable=False),
        Column("camera", LargeBinary),
        Column("cause", Text, nullable=False),
        Column("opened_at", Integer, nullable=False),
        Column("resumed_at", Integer),
        Column("resume_reason", Text),
    )
    op.create_table(
        "second_look",
        Column("decision_id", Integer, ForeignKey("decision.id"), primary_key=True),
        Column("model", Text, nullable=False),
        Column("agrees", Boolean, nullable=False),
        Column("looked_at", Integer, nullable=False),
    )
    op.create_table(
        "tried",
        Column("decision_id", Integer, ForeignKey("decision.id"), primary_key=True),
        Column("settings_id", Integer, ForeignKey("settings.id"), primary_key=True),
        _reference("reason"),
        Column("note", Text, nullable=False),
        Column("tried_at", Integer, nullable=False),
    )
    op.create_table("chore", Column("name", Text, primary_key=True), Column("done_at", Integer, nullable=False))
    op.create_table(
        "clock",
        Column("boot", Text, primary_key=True),
        Column("began_at", Integer, nullable=False),
        Column("set_at", Integer),
    )


def _events() -> None:
    """Only ever added to: neither changed, nor deleted, nor replaced by one of the same number."""
    op.create_table(
        "event",
        _number(),
        Column("at", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("decision_id", Integer, ForeignKey("decision.id")),
        Column("payload", Text, nullable=False),
        Column("digest", LargeBinary, nullable=False),
    )
    op.create_index("event_decision", "event", ["decision_id"], sqlite_where=text("decision_id IS NOT NULL"))
    not_the_next = "WHEN NEW.id != 1 + (SELECT coalesce(max(id), 0) FROM event) "
    for action, condition in (("UPDATE", ""), ("DELETE", ""), ("INSERT", not_the_next)):
        op.execute(
            f"CREATE TRIGGER event_no_{action.lower()} BEFORE {action} ON event {condition}"
            "BEGIN SELECT RAISE(ABORT, 'events are only ever added, each with the next number'); END"
        )


def _holds() -> None:
    op.create_table(
        "hold",
        _number(),
        Column("added_at", Integer, nullable=False),
        *(Column(name, LargeBinary) for name in ("root", "camera", "pattern")),
        *(Column(name, Integer) for name in ("since", "until")),
        Column("reason", Text, nullable=False),
        Column("case_number", Text),
        Column("removed_at", Integer),
        Column("removed_reason", Text),
    )


def _number() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _reference(table: str) -> Column[int]:
    return Column(f"{table}_id", Integer, ForeignKey(f"{table}.id"), nullable=False)


def _identity() -> list[Column[int]]:
    return [Column(name, Integer, nullable=False) for name in ("size", "mtime_ns", "ctime_ns", "inode")]


def _partial_index(name: str, column: str, condition: str) -> None:
    op.create_index(name, "decision", [column], sqlite_where=text(condition))
