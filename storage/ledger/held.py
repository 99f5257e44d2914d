"""Which originals the vault holds, as an administrator asks for them."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import ColumnElement, Connection, or_

from storage.ledger.answers import Held
from storage.ledger.lookups import entry_of_row, held
from storage.ledger.schema import CameraRow, DecisionRow, FileRow, RootRow
from storage.records import Place, VaultEntry

_AFTER_SLASH: Final = "0"
"""The character behind "/": paths below a folder lie between "folder/" and "folder0"."""


def of(connection: Connection, wanted: Held) -> list[VaultEntry]:
    """By place: the newest of each path among those that are wanted, or every one."""
    rows = connection.execute(held().where(*_conditions(wanted)).order_by(DecisionRow.id))
    entries = [entry_of_row(row) for row in rows]
    chosen = entries if wanted.every else {entry.place: entry for entry in entries}.values()
    return sorted(chosen, key=lambda entry: (entry.place.root, entry.place.path))


def _conditions(wanted: Held) -> Iterator[ColumnElement[bool]]:
    if wanted.below:
        yield or_(*map(_below, wanted.below))
    if wanted.roots is not None:
        yield RootRow.path.in_(wanted.roots)
    if wanted.camera is not None:
        yield CameraRow.name == wanted.camera
    if wanted.since:
        yield DecisionRow.decided_at >= wanted.since
    if wanted.until:
        yield DecisionRow.decided_at < wanted.until
    if wanted.decision is not None:
        yield DecisionRow.id == wanted.decision


def _below(place: Place) -> ColumnElement[bool]:
    """The picture of this path, and all below the folder of this path."""
    here = RootRow.path == place.root
    if not place.path:
        return here
    inside = (FileRow.path >= f"{place.path}/") & (FileRow.path < f"{place.path}{_AFTER_SLASH}")
    return here & or_(FileRow.path == place.path, inside)
