"""The rows of files: which number a path has, and which decision it last had."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from storage.files import FileIdentity
from storage.ledger.interning import Numbers
from storage.ledger.schema import FileRow
from storage.records import Draft

# Built once: the statements of each picture's way take longer to build than to run.
_NEW: Final = insert(FileRow).on_conflict_do_nothing()
_AT: Final = select(FileRow.path, FileRow.camera_id, FileRow.id).where(
    FileRow.path.in_(bindparam("paths", expanding=True))
)
_SETTLED: Final = update(FileRow).where(FileRow.id == bindparam("file"))


def identity_values(identity: FileIdentity) -> dict[str, int]:
    """By column of `IdentityColumns`."""
    return {name: getattr(identity, name) for name in ("size", "mtime_ns", "ctime_ns", "inode")}


def file_numbers(connection: Connection, numbers: Numbers, drafts: Sequence[Draft]) -> list[int]:
    """The number of each draft's path; a path that is new to the ledger gets its row."""
    places = [(draft.place.path, numbers.camera(connection, draft.place)) for draft in drafts]
    rows = [
        {"path": path, "camera_id": camera, **identity_values(draft.identity)}
        for (path, camera), draft in zip(places, drafts, strict=True)
    ]
    connection.execute(_NEW, rows)
    found = _by_place(connection, {path for path, _ in places})
    return [found[place] for place in places]


def _by_place(connection: Connection, paths: Iterable[str]) -> dict[tuple[str, int], int]:
    rows = connection.execute(_AT, {"paths": list(paths)})
    return {(path, camera): number for path, camera, number in rows}


def settle_files(connection: Connection, decided: Iterable[tuple[int, FileIdentity, int]]) -> None:
    """What each file is like now, and its last decision: (file, identity, decision)."""
    rows = [
        {"file": file, "decision_id": decision, **identity_values(identity)} for file, identity, decision in decided
    ]
    if rows:
        connection.execute(_SETTLED, rows)
