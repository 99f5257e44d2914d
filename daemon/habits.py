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
"""The original's pixels stayed although every rung that was wanted could be seen."""

Scene = tuple[str, str, str]
"""Root, camera, and the fingerprint of the settings under which its pictures were decided."""


def is_sampled(sha256: bytes) -> bool:
    """Whether a picture with this hash is searched exactly whatever is known, so that more is learned than was guessed.

    By its content, so that the ledger's readers know which ones were.
    """
    return sha256[0] % _SAMPLE == 0


@dataclass(frozen=True, slots=True)
class _End:
    """Where a search ended: a rung's name, or None for the original; and the share of its bytes that was left."""

    rung: str | None
    share: float


@dataclass(slots=True)
class _Habit:
    """A scene's endings, of those alone that guesses did not bring about."""

    first: list[_End] = field(default_factory=list)
    """The first that are known: searches are exact until there are enough."""
    sampled: deque[_End] = field(default_factory=partial(deque, maxlen=_REMEMBERED))
    """The newest of sampled pictures."""
    guesses: tuple[int, ...] | None = None
    """What follows from them; None: to be found out."""

    def learn(self, end: _End, *, sampled: bool) -> None:
        if len(self.first) < _ENOUGH:
            self.first.append(end)
        if sampled:
            self.sampled.append(end)
            self.guesses = None

    @property
    def known(self) -> Sequence[_End]:
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
            end = _End(outcome.rung, outcome.bytes_after / max(outcome.bytes_before, 1))
            self._habits.setdefault(scene, _Habit()).learn(end, sampled=_is_sample(outcome))

    def guesses(self, place: Place, rules: Rules) -> tuple[int, ...] | None:
        """The numbers of the variants that a quick search looks at; None: too little is known, or nothing is asked."""
        if rules.settings.search != "quick":
            return None
        habit = self._habits.get((place.root, place.camera, rules.settings.fingerprint))
        if habit is None or len(habit.known) < _ENOUGH:
            return None
        if habit.guesses is None:
            habit.guesses = best_guesses([_ending(end, rules.ladder) for end in habit.known], _GUESSES)
        return habit.guesses


def _is_sample(outcome: Outcome) -> bool:
    return outcome.sha256 is not None and is_sampled(outcome.sha256)


def _ending(end: _End, ladder: Ladder) -> Ending:
    names = [rung.name for rung in ladder.rungs]
    name = (end.rung or "").rpartition("+")[2]  # the background's rung, where objects have their own
    return Ending(names.index(name) + 1 if name in names else 0, end.share)


def habits_of(config: Config, reader: Reader | None) -> Habits:
    """What is to be known before the first picture; nothing where there is no ledger yet. Raises LedgerError."""
    if config.selection.search != "quick" or reader is None:
        return Habits()
    return learned(reader.last_outcomes(_LEARNED), _LEARNED)


def learned(outcomes: Sequence[Outcome], most: int) -> Habits:
    """From the ledger's newest, oldest first; `most` were asked for.

    Where there are so many, older ones are missing: then the first here need not be the first of their camera, and may
    have been guessed.
    """
    return Habits.of(outcomes if len(outcomes) < most else filter(_is_sample, outcomes))
