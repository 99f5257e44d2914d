"""The rows of files: which number a path has, and which decision it last had."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from storage.files import FileIdentity
from storage.ledger.interning import Numbers
from storage.ledger.schema import FileRow
from storage.records import Draft


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
    connection.execute(insert(FileRow).on_conflict_do_nothing(), rows)
    found = _by_place(connection, {path for path, _ in places})
    return [found[place] for place in places]


def _by_place(connection: Connection, paths: Iterable[str]) -> dict[tuple[str, int], int]:
    rows = connection.execute(select(FileRow.path, FileRow.camera_id, FileRow.id).where(FileRow.path.in_(paths)))
    return {(path, camera): number for path, camera, number in rows}


def settle_files(connection: Connection, decided: Iterable[tuple[int, FileIdentity, int]]) -> None:
    """What each file is like now, and its last decision: (file, identity, decision)."""
    rows = [
        {"file": file, "decision_id": decision, **identity_values(identity)} for file, identity, decision in decided
    ]
    if rows:
        connection.execute(update(FileRow).where(FileRow.id == bindparam("file")), rows)
