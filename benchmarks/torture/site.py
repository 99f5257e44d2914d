"""The place of one trial: a watched root, its ledger, and what the cameras say they delivered. Only paths."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Site:
    """Everything lies below one folder."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "incoming"

    @property
    def own(self) -> Path:
        return self.root / ".framekeep"

    @property
    def ledger(self) -> Path:
        return self.folder / "var" / "ledger.sqlite"

    @property
    def diaries(self) -> Path:
        return self.folder / "diaries"

    @property
    def delivered(self) -> Path:
        return self.folder / "delivered"

    @property
    def log(self) -> Path:
        return self.folder / "framekeep.log"

    def make(self) -> "Site":
        for folder in (self.root, self.diaries, self.delivered):
            folder.mkdir(parents=True)
        return self

    @contextmanager
    def acting(self) -> Iterator[None]:
        """A camera is in the middle of something; many may be at once."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Every camera is between two actions."""
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        descriptor = os.open(self.folder / "quiet", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)
