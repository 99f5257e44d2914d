"""The breaker's judgement. Pure: decisions go in, and where they jump away from what is known, an opening comes out.

Each decision is described by features between 0 and 1: did it fail, was the picture unreadable, which rung was chosen,
what share of its bytes was saved. A camera's last BLOCK decisions, at least FEWEST of them, are compared with every
earlier block of BLOCK. A feature has jumped when its mean lies outside the range of all earlier blocks, on the same
side of each, by more than max(JUMP, ERRORS standard errors). So a night is no jump where nights are known, and fewer
failures never are one.

Rungs and savings follow light and weather, so they are judged only where KNOWN_FOR_LOOKS blocks are known; failures
and unreadable pictures at once. A change of settings or model is a change that somebody wanted: the knowledge of a
camera is kept apart for each.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from framekeep.reasons import Reason, Standing
from storage.ledger.breakers import Opening, Outcome

BLOCK: Final = 100
FEWEST: Final = 50
JUMP: Final = 0.3
ERRORS: Final = 4.0
KNOWN_FOR_LOOKS: Final = 10
_REMEMBERED: Final = 100
"""Blocks a camera."""

FAILURES: Final = "failures"
UNREADABLE: Final = "unreadable pictures"
SAVING: Final = "bytes saved"
AT_ONCE: Final = (FAILURES, UNREADABLE)
"""Judged as soon as anything is known of a camera, and only upwards."""

Features = Mapping[str, float]

_UNREADABLE: Final = (Reason.NOT_JPEG, Reason.TRUNCATED, Reason.DAMAGED)
_SAYS_NOTHING: Final = (Reason.ALREADY_SHRUNK, Reason.RESTORED)


def features(outcome: Outcome) -> Features | None:
    """What a decision says, without what is 0; None where it says nothing (for later, or nothing to do)."""
    reason = outcome.reason
    if reason.standing is Standing.LATER or reason in _SAYS_NOTHING:
        return None
    if reason.standing is Standing.FAILED:
        return {FAILURES: 1.0}
    if reason in _UNREADABLE:
        return {UNREADABLE: 1.0}
    if reason is Reason.WOULD_NOT_SHRINK or reason.standing is Standing.REPLACED:
        saving = 1 - outcome.bytes_after / max(outcome.bytes_before, 1)
        return {f"choices of {outcome.rung or 'the original'}": 1.0, SAVING: saving}
    return {}


@dataclass(slots=True)
class Block:
    """Some decisions, as the sums of their features."""

    count: int = 0
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, one: Features, sign: int = 1) -> None:
        self.count += sign
        for name, value in one.items():
            self.sums[name] += sign * value  # type: ignore[assignment]  # a Counter's values are typed as whole numbers

    def mean(self, name: str) -> float:
        return min(1.0, max(0.0, self.sums[name] / self.count))


@dataclass(slots=True)
class History:
    """What is known of a camera: its last decisions, and the blocks before them."""

    recent: deque[Features] = field(default_factory=deque)
    last: Block = field(default_factory=Block)
    """The sums of `recent`."""
    filling: Block = field(default_factory=Block)
    full: deque[Block] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    names: dict[str, None] = field(default_factory=dict)
    """Every feature that was ever seen, in their order."""

    def add(self, one: Features) -> None:
        self.names |= dict.fromkeys(one)
        self.recent.append(one)
        self.last.add(one)
        if len(self.recent) > BLOCK:
            oldest = self.recent.popleft()
            self.last.add(oldest, -1)
            self._store(oldest)

    def _store(self, one: Features) -> None:
        self.filling.add(one)
        if self.filling.count == BLOCK:
            self.full.append(self.filling)
            self.filling = Block()

    def earlier(self) -> list[Block]:
        return [*self.full, self.filling] if self.filling.count >= FEWEST else list(self.full)


def jump(history: History) -> str | None:
    """What has jumped, in words; None where nothing has."""
    last, earlier = history.last, history.earlier()
    if last.count < FEWEST or not earlier:
        return None
    for name in _judged(history, len(earlier)):
        if _outside(last, earlier, name):
            before = sum(block.sums[name] for block in earlier) / sum(block.count for block in earlier)
            return f"{name}: {last.mean(name):.0%} in the last {last.count} pictures, {before:.0%} before"
    return None


def _judged(history: History, blocks: int) -> Iterable[str]:
    if blocks < KNOWN_FOR_LOOKS:
        return AT_ONCE
    return (*AT_ONCE, *(name for name in history.names if name not in AT_ONCE))


def _outside(last: Block, earlier: list[Block], name: str) -> bool:
    """Whether the mean lies above all earlier ones, or below all of them, by more than is allowed."""
    mean = last.mean(name)
    is_higher = mean > earlier[0].mean(name)
    if name in AT_ONCE and not is_higher:  # fewer failures are good news
        return False
    for block in earlier:
        by = mean - block.mean(name) if is_higher else block.mean(name) - mean
        if by <= JUMP or by <= _errors(last, block, name):
            return False
    return True


def _errors(one: Block, other: Block, name: str) -> float:
    """A value between 0 and 1 varies at most as much as a yes or no with the same mean."""
    mean = min(1.0, max(0.0, (one.sums[name] + other.sums[name]) / (one.count + other.count)))
    return ERRORS * math.sqrt(mean * (1 - mean) * (1 / one.count + 1 / other.count))


@dataclass(slots=True)
class Changed:
    """How much of a root is replaced on a day: bytes of all its known pictures as delivered, and of those replaced."""

    known: int
    day: date
    replaced: int

    def add(self, outcome: Outcome) -> None:
        if outcome.at.date() > self.day:
            self.day, self.replaced = outcome.at.date(), 0
        if features(outcome) is not None:
            self.known += outcome.bytes_before
        if outcome.reason.standing is Standing.REPLACED:
            self.replaced += outcome.bytes_before

    def exceeds(self, share: float) -> bool:
        return self.replaced > share * self.known


class Breaker:
    """Open or not, for each camera. Whoever asks it keeps what it says durable."""

    def __init__(self, max_daily_share: float, openings: Iterable[Opening] = ()) -> None:
        self._max_daily_share = max_daily_share
        self._histories: dict[tuple[str, str, str], History] = {}
        self._changed: dict[str, Changed] = {}
        self.openings = list(openings)

    def learn(self, outcome: Outcome) -> None:
        """A decision that was made before."""
        one = features(outcome)
        if one is not None:
            self._history(outcome).add(one)

    def learn_root(self, root: str, known: int, day: date, replaced: int) -> None:
        """What the ledger knows of a root's bytes."""
        self._changed[root] = Changed(known, day, replaced)

    def forget(self, resumed: Opening) -> None:
        """A person has looked, and what comes next is right: what was known before no longer counts."""
        self.openings = [one for one in self.openings if (one.root, one.camera) != (resumed.root, resumed.camera)]
        for root, camera, fingerprint in list(self._histories):
            if resumed.covers(root, camera):
                del self._histories[root, camera, fingerprint]
        if resumed.camera is None and resumed.root in self._changed:
            self._changed[resumed.root].replaced = 0

    def opening_for(self, root: str, camera: str) -> Opening | None:
        """Why nothing is replaced there; None where the breaker is not open."""
        return next((opening for opening in self.openings if opening.covers(root, camera)), None)

    def observe(self, outcome: Outcome) -> Opening | None:
        """A decision that was made now. Returns an opening that is new."""
        self.learn(outcome)
        if self.opening_for(outcome.root, outcome.camera):
            return None
        opening = self._too_much(outcome) or self._jumped(outcome)
        if opening:
            self.openings.append(opening)
        return opening

    def _jumped(self, outcome: Outcome) -> Opening | None:
        history = self._history(outcome)
        cause = jump(history)
        return Opening(outcome.root, outcome.camera, cause, outcome.at) if cause else None

    def _too_much(self, outcome: Outcome) -> Opening | None:
        changed = self._changed.setdefault(outcome.root, Changed(0, outcome.at.date(), 0))
        changed.add(outcome)
        if self._max_daily_share >= 1 or not changed.exceeds(self._max_daily_share):
            return None
        cause = f"more than {self._max_daily_share:.0%} of the root's bytes replaced on {changed.day}"
        return Opening(outcome.root, None, cause, outcome.at)

    def _history(self, outcome: Outcome) -> History:
        return self._histories.setdefault((outcome.root, outcome.camera, outcome.fingerprint), History())
