"""What is asked of the ledger by people, and what it answers: plain frozen data."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from framekeep.reasons import Reason
from storage.ledger.schema import State
from storage.records import Event, Place, Timings


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions: those that meet all that is not None."""

    since: datetime | None = None
    until: datetime | None = None
    """Not included."""
    camera: str | None = None
    reason: Reason | None = None
    path: str | None = None
    """A path relative to its root, with SQLite's GLOB wildcards; `*` matches slashes too."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Which of the vault's originals: those that meet all that is given."""

    below: tuple[Place, ...] = ()
    """Pictures, and folders with all below them; none: everywhere."""
    roots: tuple[str, ...] | None = None
    camera: str | None = None
    since: datetime | None = None
    """When it was decided."""
    until: datetime | None = None
    """Not included."""
    decision: int | None = None
    every: bool = False
    """All originals of a path, not only the newest."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. For a kept picture bytes and hash after are those before (no hash where it was not read)."""

    number: int
    place: Place
    state: State
    """Never PLANNED: what is only planned is no decision yet."""
    keeper: str
    min_confidence: float
    ladder: str
    model: str
    model_digest: str
    rung: str | None
    quality: int | None
    reason: Reason
    bytes_before: int
    bytes_after: int
    sha256_before: str | None
    """Hexadecimal."""
    sha256_after: str | None
    """Hexadecimal."""
    label: str | None
    probability: float | None
    objects: str
    """What was decided about objects, as JSON; empty where the keeper compares none."""
    evidence_before: str | None
    """As JSON, as in `Draft`."""
    evidence_after: str | None
    regions: str | None
    region_rule: str
    decided_at: datetime
    device: str
    versions: str
    vault_entry: str | None
    """The original's entry in the vault, while it is held."""
    release_at: datetime | None
    released_at: datetime | None
    missed_by_watcher: bool
    note: str
    timings: Timings
    stage: float
    """The age in days from which on its settings hold."""
    succeeds: int | None
    """The decision whose place it took at a later stage."""
    generation: int
    """1 where it was made from the camera's original; more where from a variant."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event with the decision that it belongs to, as that is now."""

    event: Event
    decision: Decision


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days."""

    since: date | None = None
    until: date | None = None
    """Not included."""


ALWAYS: Final = Period()


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over decisions; pictures = replaced + kept + failed. A picture that was looked at again counts again."""

    key: str | None
    """A camera, day, keeper, model, reason or label; None for no label, or where all is one total."""
    pictures: int = 0
    replaced: int = 0
    kept: int = 0
    failed: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    bytes_freed: int = 0
    """What the release of originals has freed so far."""
    missed_by_watcher: int = 0

    @property
    def bytes_in_vault(self) -> int:
        """What was saved and is not free yet, because the vault still holds the originals."""
        return self.bytes_before - self.bytes_after - self.bytes_freed
