"""What a serving daemon tells of itself: the live state in its runtime directory, and systemd's STATUS."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from daemon.breaker import Breaker
from daemon.house import House
from daemon.live_state import LiveState
from daemon.notify import Notifier
from daemon.openings import name_of, sentence
from daemon.sources import Watched
from daemon.tally import Tally
from daemon.watch import Watcher
from framekeep import __version__
from storage.names import printable
from storage.records import Draft

_SECONDS: Final = 2
"""How old what is told may be while something happens."""
_RECENT_SECONDS: Final = 60
"""The time over which a rate is counted."""


@dataclass(slots=True)
class Counted:
    """What was decided since the process began: reloads go on counting."""

    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    tally: Tally = field(default_factory=Tally)
    last: Draft | None = None
    _recent: deque[datetime] = field(default_factory=deque)

    def add(self, draft: Draft) -> None:
        self.tally.add(draft)
        self.last = draft
        self._recent.append(draft.decided_at)

    def rate(self, now: datetime) -> float:
        """Pictures a second, of late."""
        while self._recent and (now - self._recent[0]).total_seconds() > _RECENT_SECONDS:
            self._recent.popleft()
        return len(self._recent) / _RECENT_SECONDS


@dataclass(frozen=True, slots=True)
class Alarms:
    """What a person has to know of."""

    breaker: Breaker
    pressure: Mapping[str, str]
    """By root that lacks free space: a sentence about it."""


class Reporter:
    """Tells. Belongs to one event loop."""

    def __init__(self, house: House, watched: Watched, watcher: Watcher, alarms: Alarms, counted: Counted) -> None:
        self._house = house
        self._watched = watched
        self._watcher = watcher
        self._alarms = alarms
        self._counted = counted

    def sentence(self) -> str:
        """One line for people."""
        tally = self._counted.tally
        stopped = ", ".join(printable(name_of(opening)) for opening in self._alarms.breaker.openings)
        return (f"BREAKER OPEN for {stopped}: see framekeep status; " if stopped else "") + (
            f"{len(self._watched)} waiting; {tally.replaced} replaced, {tally.kept} kept, {tally.skipped} skipped, "
            f"{tally.failed} failed; {tally.ratio:.1f} times smaller"
        )

    def state(self) -> dict[str, Any]:
        """What `framekeep status` shows."""
        tally, last = self._counted.tally, self._counted.last
        return {
            "version": __version__,
            "since": self._counted.since.isoformat(),
            "roots": list(self._house.roots),
            "model": self._house.model.name,
            "device": self._house.model.device,
            "waiting": len(self._watched),
            "pictures_per_second": round(self._counted.rate(datetime.now(UTC)), 2),
            "replaced": tally.replaced,
            "kept": tally.kept,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "missed_by_watcher": tally.missed,
            "bytes_before": tally.bytes_before,
            "bytes_after": tally.bytes_after,
            "last_decision_at": last.decided_at.isoformat() if last else None,
            "last_decision_reason": last.reason.word if last else None,
            "watching": self._watcher.degraded or "everything",
            "breaker": [sentence(opening) for opening in self._alarms.breaker.openings],
            "pressure": list(self._alarms.pressure.values()),
        }

    @contextmanager
    def live(self) -> Iterator[None]:
        """While this lasts the runtime directory says that a daemon is alive."""
        self._live = LiveState(self._house.config.service.runtime_directory)
        self._live.write(self.state())
        try:
            yield
        finally:
            self._live.remove()

    async def keep_writing(self, notifier: Notifier) -> None:
        """Writes what has changed; an idle daemon writes nothing."""
        told = ""
        while True:
            self._live.write(self.state())
            if (sentence := self.sentence()) != told:
                notifier.tell(STATUS=sentence)
                told = sentence
            await asyncio.sleep(_SECONDS)
