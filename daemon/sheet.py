"""The sheet that travels with a picture: what becomes known of it, stage by stage, until its decision is written."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from daemon.candidates import Candidate
from daemon.habits import is_sampled
from daemon.rules import Rules
from framekeep.evidence import Evidence
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import written as written_regions
from framekeep.variants import Written
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.records import Draft, Lineage, Timings


@dataclass(frozen=True, slots=True)
class Source:
    """What a later stage starts from: the camera's original or, of a later generation, a variant."""

    lineage: Lineage
    """Of the variant that stands."""
    sha256: bytes
    identity: FileIdentity
    """Of what lies in the vault or, where that holds nothing, of what stands."""

    @property
    def generation(self) -> int:
        """What is made from it."""
        return self.lineage.generation + (self.lineage.held is None)

    @property
    def facts(self) -> dict[str, Any]:
        """What a draft tells of it."""
        delivered = self.lineage.delivered if self.generation > 1 else None
        return {
            "identity": self.identity,
            "succeeds": self.lineage.decision,
            "generation": self.generation,
            "delivered": delivered,
        }


@dataclass(frozen=True, slots=True)
class Stands:
    """Of a picture that was shrunk, and that a later stage decides anew."""

    decision: int
    """The last one of its path."""
    source: Source | None = None
    """None as long as it is not found."""


@dataclass(slots=True)
class Sheet:
    """Only the picture's own task writes on it."""

    candidate: Candidate
    rules: Rules
    device: str
    versions: str
    identity: FileIdentity
    """As listed, then as read."""
    guesses: tuple[int, ...] | None = None
    """The numbers of the variants that a quick search looks at, where the camera is known: see `followed_guesses`."""
    sha256: bytes | None = None
    """Of what is looked at."""
    stands: Stands | None = None
    """None for a picture that is looked at for the first time."""
    recorded: Evidence | None = None
    """The camera's original's, by which a later generation is judged."""
    label: str | None = None
    probability: float | None = None
    evidence_before: str | None = None
    evidence_after: dict[str, str] = field(default_factory=dict)
    """What was seen in each variant, by its rung's name."""
    looks: int = 0
    note: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def followed_guesses(self) -> tuple[int, ...] | None:
        """None where the search is exact: always, or since this picture is sampled. It must have been read."""
        return None if self.sha256 is None or is_sampled(self.sha256) else self.guesses

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Adds what passes to the time of a stage of Timings."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    @property
    def timings(self) -> Timings:
        return Timings(**{stage: round(seconds * 1000) for stage, seconds in self.seconds.items()})

    def kept(self, kept: Kept) -> Draft:
        """The decision to leave the picture as it is."""
        return Draft(reason=kept.reason, note=kept.note, **self._common(kept.reason))

    def replaced(self, written: Written, mark: Mark) -> Draft:
        """The decision to replace the picture."""
        return Draft(
            reason=written.reason,
            rung=written.rung.name if written.rung else None,
            quality=written.rung.quality if written.rung else None,
            bytes_after=len(written.data),
            sha256_after=mark.variant,
            evidence_after=self.evidence_after[written.rung.name] if written.rung else None,
            regions=written_regions(written.regions) if written.regions else None,
            vault_entry=mark.entry,
            vault_days=self.rules.vault_days,
            note=self.note,
            **self._common(written.reason) | self._succession(),
        )

    def _succession(self) -> dict[str, Any]:
        source = self.stands.source if self.stands else None
        return source.facts if source else {}

    def _common(self, reason: Reason) -> dict[str, Any]:
        return {
            "place": self.candidate.place,
            "settings": self.rules.settings_for(reason),
            "identity": self.identity,
            "decided_at": datetime.now(UTC),
            "sha256_before": self.sha256,
            "label": self.label,
            "probability": self.probability,
            "evidence_before": self.evidence_before,
            "device": self.device,
            "versions": self.versions,
            "missed_by_watcher": self.candidate.missed,
            "timings": self.timings,
        }
