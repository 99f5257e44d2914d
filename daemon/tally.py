"""Counting decisions."""

from collections import Counter
from dataclasses import dataclass, field

from framekeep.reasons import Reason, Standing
from storage.records import Draft

_NOTHING_TO_DO = (Reason.ALREADY_SHRUNK, Reason.RESTORED)


@dataclass(slots=True)
class Tally:
    """What a sweep, or a daemon since its start, has seen: seen = replaced + kept + skipped + failed."""

    replaced: int = 0
    kept: int = 0
    skipped: int = 0
    """Nothing to do, or for later."""
    failed: int = 0
    missed: int = 0
    """Found by a rescan alone: the watcher missed them."""
    bytes_before: int = 0
    bytes_after: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def seen(self) -> int:
        return self.replaced + self.kept + self.skipped + self.failed

    @property
    def ratio(self) -> float:
        """Bytes before over bytes after; 1 where nothing was seen."""
        return self.bytes_before / self.bytes_after if self.bytes_after else 1.0

    def add(self, draft: Draft) -> None:
        """Counts a decision."""
        standing = draft.reason.standing
        if standing is Standing.REPLACED:
            self.replaced += 1
        elif standing is Standing.FAILED:
            self.failed += 1
        elif standing is Standing.LATER or draft.reason in _NOTHING_TO_DO:
            self.skipped += 1
        else:
            self.kept += 1
        self.missed += draft.missed_by_watcher
        self.reasons[draft.reason.word] += 1
        self._weigh(draft.identity.size, draft.identity.size if draft.bytes_after is None else draft.bytes_after)

    def skip(self, size: int) -> None:
        """Counts a picture that was recognised without a look."""
        self.skipped += 1
        self._weigh(size, size)

    def wait(self, reason: Reason, size: int) -> None:
        """Counts a picture that its policy leaves alone at present."""
        self.reasons[reason.word] += 1
        self.skip(size)

    def _weigh(self, before: int, after: int) -> None:
        self.bytes_before += before
        self.bytes_after += after
