"""What many rows share is stored once: here each such value gets its number."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from framekeep.reasons import Reason
from storage.ledger.schema import CameraRow, EnvironmentRow, LabelRow, ReasonRow, RootRow, SettingsRow, Shared
from storage.records import Draft, Place, Settings


class Numbers:
    """The number of each shared value, asked from the database once and then remembered."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], int] = {}
        self._settings: dict[Settings, int] = {}

    def forget(self) -> None:
        """After a rollback: what was numbered within the transaction has no number again."""
        self._known.clear()
        self._settings.clear()

    def root(self, connection: Connection, path: str) -> int:
        return self._number(connection, RootRow, {"path": path})

    def camera(self, connection: Connection, place: Place) -> int:
        root = self.root(connection, place.root)
        return self._number(connection, CameraRow, {"root_id": root, "name": place.camera})

    def settings(self, connection: Connection, settings: Settings) -> int:
        if settings not in self._settings:
            key = {"fingerprint": settings.fingerprint}
            self._settings[settings] = self._number(connection, SettingsRow, key, asdict(settings))
        return self._settings[settings]

    def environment(self, connection: Connection, draft: Draft) -> int:
        return self._number(connection, EnvironmentRow, {"device": draft.device, "versions": draft.versions})

    def label(self, connection: Connection, name: str | None) -> int | None:
        return None if name is None else self._number(connection, LabelRow, {"name": name})

    def reason(self, connection: Connection, reason: Reason) -> int:
        return self._number(connection, ReasonRow, {"word": reason.word})

    def _number(
        self, connection: Connection, row: type[Shared], key: dict[str, Any], rest: dict[str, Any] | None = None
    ) -> int:
        remembered = (row, *key.values())
        if remembered not in self._known:
            connection.execute(insert(row).values(**key, **(rest or {})).on_conflict_do_nothing())
            self._known[remembered] = connection.scalars(select(row.id).filter_by(**key)).one()
        return self._known[remembered]
