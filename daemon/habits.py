"""Where each camera's last picture ended: search = "quick" begins there, since neighbouring frames end alike."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from daemon.config.schema import Config
from daemon.rules import Rules
from framekeep.reasons import Reason
from storage.ledger.breakers import Outcome
from storage.ledger.reader import Reader
from storage.records import Place

_LEARNED: Final = 10_000
"""Decisions from which a start learns: the newest of all cameras."""

_STAYED: Final = (Reason.SQUEEZED, Reason.WOULD_NOT_SHRINK)
"""The original's pixels stayed although every rung was free."""

Scene = tuple[str, str, str]
"""Root, camera, and the fingerprint of the settings under which its pictures were decided."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Belongs to one event loop."""

    _ends: dict[Scene, str | None] = field(default_factory=dict)
    """A rung's name, or None for the original."""

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        """What the ledger knows, oldest first."""
        habits = cls()
        for outcome in outcomes:
            habits.learn(outcome)
        return habits

    def learn(self, outcome: Outcome) -> None:
        if outcome.rung is not None or outcome.reason in _STAYED:
            self._ends[outcome.root, outcome.camera, outcome.fingerprint] = outcome.rung

    def start(self, place: Place, rules: Rules) -> int | None:
        """The number of the variant with which a quick search begins; None: nothing is known, or nothing is asked."""
        if rules.settings.search != "quick":
            return None
        scene = place.root, place.camera, rules.settings.fingerprint
        if scene not in self._ends:
            return None
        names = [rung.name for rung in rules.ladder.rungs]
        end = (self._ends[scene] or "").rpartition("+")[2]  # the background's rung, where objects have their own
        return names.index(end) + 1 if end in names else 1


def habits_of(config: Config, reader: Reader | None) -> Habits:
    """What is to be known before the first picture; nothing where there is no ledger yet. Raises LedgerError."""
    if config.selection.search != "quick" or reader is None:
        return Habits()
    return Habits.of(reader.last_outcomes(_LEARNED))
