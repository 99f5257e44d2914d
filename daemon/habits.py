"""Where each camera's pictures end: search = "quick" looks there alone, since frames of a fixed camera end alike."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Self

from daemon.config.schema import Config
from daemon.rules import Rules
from framekeep.guessing import Ending, best_guesses
from framekeep.ladder import Ladder
from framekeep.reasons import Reason
from storage.ledger.breakers import Outcome
from storage.ledger.reader import Reader
from storage.records import Place

_LEARNED: Final = 50_000
"""Decisions from which a start learns: the newest of all cameras."""
_REMEMBERED: Final = 32
"""Endings of a camera."""
_ENOUGH: Final = 8
"""Endings that must be known before a camera's searches are quick."""
_GUESSES: Final = 3
"""Looks that a quick search takes at most, besides the original's."""
_SAMPLE: Final = 16
"""One picture in so many is searched exactly for ever."""

_STAYED: Final = (Reason.SQUEEZED, Reason.WOULD_NOT_SHRINK)
"""The original's pixels stayed although every rung was free."""

Scene = tuple[str, str, str]
"""Root, camera, and the fingerprint of the settings under which its pictures were decided."""


def is_sampled(sha256: bytes) -> bool:
    """Whether a picture with this hash is searched exactly whatever is known, so that more is learned than was guessed.

    By its content, so that the ledger's readers know which ones were.
    """
    return sha256[0] % _SAMPLE == 0


@dataclass(slots=True)
class _Habit:
    """A scene's endings, of those that guesses did not bring about as far as there are enough."""

    first: list[Outcome] = field(default_factory=list)
    """The first that are known: searches are exact until there are enough."""
    sampled: deque[Outcome] = field(default_factory=partial(deque, maxlen=_REMEMBERED))
    """The newest of sampled pictures."""
    guesses: tuple[int, ...] | None = None
    """What follows from them; None: to be found out."""

    def learn(self, outcome: Outcome) -> None:
        if len(self.first) < _ENOUGH:
            self.first.append(outcome)
        if outcome.sha256 and is_sampled(outcome.sha256):
            self.sampled.append(outcome)
            self.guesses = None

    @property
    def known(self) -> Sequence[Outcome]:
        return self.sampled if len(self.sampled) >= _ENOUGH else self.first


@dataclass(frozen=True, slots=True)
class Habits:
    """Belongs to one event loop."""

    _habits: dict[Scene, _Habit] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        """What the ledger knows, oldest first."""
        habits = cls()
        for outcome in outcomes:
            habits.learn(outcome)
        return habits

    def learn(self, outcome: Outcome) -> None:
        if outcome.rung is not None or outcome.reason in _STAYED:
            scene = outcome.root, outcome.camera, outcome.fingerprint
            self._habits.setdefault(scene, _Habit()).learn(outcome)

    def guesses(self, place: Place, rules: Rules) -> tuple[int, ...] | None:
        """The numbers of the variants that a quick search looks at; None: too little is known, or nothing is asked."""
        if rules.settings.search != "quick":
            return None
        habit = self._habits.get((place.root, place.camera, rules.settings.fingerprint))
        if habit is None or len(habit.known) < _ENOUGH:
            return None
        if habit.guesses is None:
            habit.guesses = best_guesses([_ending(outcome, rules.ladder) for outcome in habit.known], _GUESSES)
        return habit.guesses


def _ending(outcome: Outcome, ladder: Ladder) -> Ending:
    names = [rung.name for rung in ladder.rungs]
    name = (outcome.rung or "").rpartition("+")[2]  # the background's rung, where objects have their own
    return Ending(names.index(name) + 1 if name in names else 0, outcome.bytes_after / max(outcome.bytes_before, 1))


def habits_of(config: Config, reader: Reader | None) -> Habits:
    """What is to be known before the first picture; nothing where there is no ledger yet. Raises LedgerError."""
    if config.selection.search != "quick" or reader is None:
        return Habits()
    return Habits.of(reader.last_outcomes(_LEARNED))
