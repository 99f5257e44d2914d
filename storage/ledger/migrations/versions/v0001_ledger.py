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
        Column("vault_entry", LargeBinary),
        Column("release_at", Integer),
        Column("released_at", Integer),
        Column("restores", Integer),
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


def _number() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _reference(table: str) -> Column[int]:
    return Column(f"{table}_id", Integer, ForeignKey(f"{table}.id"), nullable=False)


def _identity() -> list[Column[int]]:
    return [Column(name, Integer, nullable=False) for name in ("size", "mtime_ns", "ctime_ns", "inode")]


def _partial_index(name: str, column: str, condition: str) -> None:
    op.create_index(name, "decision", [column], sqlite_where=text(condition))
