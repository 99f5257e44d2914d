"""What goes into the ledger and what comes out of it: plain frozen data, no database."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from framekeep.reasons import Reason
from storage.files import FileIdentity

By = Literal["camera", "day", "keeper", "model", "reason", "label"]
"""What a report may be grouped by."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a decision depends on besides the picture's content."""

    keeper: str
    min_confidence: float
    ladder: str
    min_saving: float
    subsampling: str
    progressive: bool
    model: str
    model_digest: str
    model_use: str = ""
    """A digest of the model's class names and of how it is shown a picture."""
    objects: str = ""
    """What is decided about objects, where the keeper compares them."""
    known_labels: str = ""
    """Which labels were known, where the keeper needs them."""
    floor_quality: int = 0
    """No variant looks worse than plain Pillow's at this quality factor; 0: none is held to that."""
    search: str = "exact"
    """How the choice was searched for."""
    region_rule: str = ""
    """What is decided about regions, where there may be some."""
    limits: str = ""
    """The limits that the picture broke, where that is the reason."""
    stage: float = 0.0
    """The age in days from which on they hold."""

    @property
    def fingerprint(self) -> str:
        """Equal for equal settings, in every process: a picture is looked at again when it differs."""
        parts = [getattr(self, name) for name in self.__slots__]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that a picture spent in each stage."""

    read: int = 0
    climb: int = 0
    look: int = 0
    write: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture is. `path` is relative to `root`; bytes that are not UTF-8 are surrogate-escaped."""

    root: str
    path: str

    @property
    def camera(self) -> str:
        """The first folder below the root; "." for a picture that lies in the root itself."""
        head, slash, _ = self.path.partition("/")
        return head if slash else "."


@dataclass(frozen=True, slots=True)
class Draft:
    """One decision, before it has a number. For a kept picture nothing changes: after equals before."""

    place: Place
    settings: Settings
    reason: Reason
    identity: FileIdentity
    """The file that was looked at."""
    decided_at: datetime
    """Aware, UTC."""
    rung: str | None = None
    """The chosen rung's name; None where the original's pixels stay."""
    quality: int | None = None
    bytes_after: int | None = None
    """None: as before."""
    sha256_before: bytes | None = None
    """None where the file was not read (too young, held, unreadable)."""
    sha256_after: bytes | None = None
    label: str | None = None
    """The original's top-1 class name; None where nothing was recognised or looked at."""
    probability: float | None = None
    """The original's top-1 probability."""
    evidence_before: str | None = None
    """JSON: what the keeper compared, as seen in the original; None where nothing was looked at."""
    evidence_after: str | None = None
    """The same, as seen in the variant; None where the original's pixels stay."""
    regions: str | None = None
    """JSON: the variant's protected regions with their digests; None where it has none."""
    vault_entry: str | None = None
    """The name of the original's entry in the root's vault; None for a kept picture."""
    vault_days: float = 0.0
    device: str = ""
    versions: str = ""
    """Encoder and library versions, for the record."""
    note: str = ""
    """What a person needs to know beyond the reason (an errno's text, a missed label)."""
    missed_by_watcher: bool = False
    timings: Timings = field(default_factory=Timings)
    succeeds: int | None = None
    """The decision whose variant this one's takes the place of, at a later stage."""
    generation: int = 1
    """1: made from the camera's original, or kept. More: made from a variant of the generation before."""
    delivered: int | None = None
    """Of a later generation: the picture's bytes as the camera delivered it."""

    @property
    def bytes_delivered(self) -> int:
        return self.identity.size if self.delivered is None else self.delivered


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger last knew of a path."""

    identity: FileIdentity
    fingerprint: str
    """The settings' fingerprint of the last decision."""
    reason: Reason
    sha256_before: bytes | None
    """What was read when that was decided."""
    decision: int
    stage: float = 0.0
    """Of the last decision's settings."""
    tried: frozenset[str] = frozenset()
    """The fingerprints of later stages' settings that were tried since and changed nothing."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A decision whose replacement was planned and neither confirmed nor abandoned: a crash came between."""

    decision: int
    place: Place
    identity: FileIdentity
    sha256_before: bytes
    sha256_after: bytes
    vault_entry: str
    stood: bytes | None = None
    """The SHA-256 of the variant whose place this one takes, at a later stage; None where that is the original's."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A later stage that changed nothing at a path whose last decision this is, for a reason that stands."""

    decision: int
    settings: Settings
    reason: Reason
    note: str


@dataclass(frozen=True, slots=True)
class VaultEntry:
    """An original that the vault holds for a confirmed decision."""

    decision: int
    place: Place
    entry: str
    sha256_before: bytes
    sha256_after: bytes
    bytes_before: int
    bytes_after: int
    release_at: datetime
    generation: int = 1
    """The decision's: where it is more than 1, the entry is the variant that it was made from, and no original."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a decision keeps of what was seen in the camera's original, and by which rule and model."""

    evidence: str
    """JSON, as in `Draft`."""
    keeper: str
    model_digest: str
    model_use: str
    objects: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a variant that stands at its path comes from."""

    decision: int
    """The one that put it there."""
    generation: int
    delivered: int
    """The picture's bytes as the camera delivered it."""
    bytes_after: int
    stage: float
    """The age at which its stage begins, in days; 0 where it is of no later one."""
    is_under_way: bool
    """A later stage or a restoration has begun here and has not ended, so that what is held may not be had."""
    held: VaultEntry | None
    """What it was made from, while the vault holds that."""
    recorded: tuple[Recorded, ...]
    """Of this decision and of those whose places it took, the newest first."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """An original that is on its way back to its path."""

    held: VaultEntry
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """What a legal hold is to cover, and why: pictures that meet all that is not None. See storage/holds.py."""

    reason: str
    root: str | None = None
    camera: str | None = None
    pattern: str | None = None
    """As in a .gitignore file, for the path relative to its root."""
    since: datetime | None = None
    """Aware; included, as `until` is."""
    until: datetime | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold, in force until it is removed."""

    number: int
    claim: Claim
    added_at: datetime
    removed_at: datetime | None = None
    removed_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One link of the ledger's chain."""

    number: int
    at: datetime
    kind: str
    decision: int | None
    payload: str
    """JSON."""
    digest: str
    """Hexadecimal."""
