"""What the checker goes by: files as they lie there, and the ledger's rows by plain SQL on a copy."""

import hashlib
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from benchmarks.torture.diary import read_diaries
from benchmarks.torture.site import Site

_PLANNED, _CONFIRMED = 0, 1
_SIDECAR: Final = ".json"
_ROWS: Final = """
    SELECT decision.state, file.path, decision.vault_entry, decision.released_at IS NOT NULL,
           decision.bytes_before, hex(decision.sha256_before), decision.bytes_after, hex(decision.sha256_after)
    FROM decision JOIN file ON file.id = decision.file_id
    WHERE decision.sha256_after IS NOT NULL
"""
"""Replacements that are planned, confirmed or undone; one that was abandoned has no hash after."""
_STOPPED: Final = """
    SELECT count(*) FROM decision JOIN reason ON reason.id = decision.reason_id WHERE reason.word = 'breaker'
"""


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Row:
    """One replacement, as the ledger has it. Hashes in hexadecimal."""

    state: int
    path: str
    entry: str | None
    released: bool
    bytes_before: int
    sha256_before: str
    bytes_after: int
    sha256_after: str

    @property
    def is_planned(self) -> bool:
        return self.state == _PLANNED

    @property
    def is_held(self) -> bool:
        return self.state == _CONFIRMED and self.entry is not None


@dataclass(frozen=True)
class Facts:
    """Everything that was found, at one moment; files by their path or name."""

    crashed: bool
    history: dict[str, list[bytes | None]]
    pictures: dict[str, bytes]
    vault: dict[str, bytes]
    staged: dict[str, bytes]
    strangers: dict[str, bytes]
    rows: tuple[Row, ...]
    stopped: int
    """Replacements that did not come to be because the breaker was open."""

    def of(self, path: str) -> list[Row]:
        """The rows that may explain what stands at the path; a plan counts only after a crash."""
        return self._by_path.get(path, [])

    def entry(self, row: Row) -> bytes | None:
        """The original that the row took away, wherever it may be by now."""
        name = row.entry or ""
        kept = self.vault.get(name)
        return self.staged.get(name) if kept is None and self.crashed else kept

    def is_somewhere(self, content: bytes) -> bool:
        return content in self._contents

    def was_delivered(self, content: bytes) -> bool:
        return any(content in contents for contents in self.history.values())

    @cached_property
    def _contents(self) -> set[bytes]:
        folders = (self.pictures, self.vault, self.staged, self.strangers)
        return {content for folder in folders for content in folder.values()}

    @cached_property
    def _by_path(self) -> dict[str, list[Row]]:
        by_path: dict[str, list[Row]] = {}
        for row in self.rows:
            if self.crashed or not row.is_planned:
                by_path.setdefault(row.path, []).append(row)
        return by_path


def gather(site: Site, *, crashed: bool) -> Facts:
    return Facts(
        crashed,
        read_diaries(site),
        {path: content for path, content in _files(site.root) if not path.startswith(".framekeep/")},
        _but_sidecars(site.own / "vault"),
        dict(_files(site.own / "staged")),
        _but_sidecars(site.own / "strangers"),
        *_told_by(site.ledger),
    )


def _but_sidecars(folder: Path) -> dict[str, bytes]:
    """What lies beside an original so that a lost ledger can be rebuilt is not counted here."""
    return {name: content for name, content in _files(folder) if not name.endswith(_SIDECAR)}


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield str(path.relative_to(folder)), path.read_bytes()


def _told_by(ledger: Path) -> tuple[tuple[Row, ...], int]:
    """From a copy, since even to look into it would tidy up what a crash left. One that is not there says nothing."""
    if not ledger.exists():
        return (), 0
    with tempfile.TemporaryDirectory() as folder:
        for file in (ledger, ledger.with_name(f"{ledger.name}-wal")):
            if file.exists():
                shutil.copy(file, folder)
        with closing(sqlite3.connect(Path(folder, ledger.name))) as connection:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise ValueError(f"the ledger {ledger} is damaged")
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'decision'").fetchone():
                return (), 0
            rows = tuple(map(_row, connection.execute(_ROWS).fetchall()))
            return rows, connection.execute(_STOPPED).fetchone()[0]


def _row(values: tuple[int, bytes, bytes | None, int, int, str, int, str]) -> Row:
    state, path, entry, released, bytes_before, before, bytes_after, after = values
    name = None if entry is None else os.fsdecode(entry)
    return Row(state, os.fsdecode(path), name, bool(released), bytes_before, before.lower(), bytes_after, after.lower())
