"""What was seen so far of an archive, and whether it is enough. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from daemon.forecasting.estimating import Drawn, Interval, chances, means, ratios, totals
from daemon.forecasting.judging import Tried
from daemon.forecasting.sampling import LEAST, Stratum, Turn
from framekeep.reasons import Reason

NARROW: Final = 0.1
"""Of a ratio: an interval whose half is no wider is narrow enough."""

_FIRST: Final = 40
_STEP: Final = 0.1


class Sample:
    """Pictures that were tried, in the order of their turns in each stratum."""

    def __init__(self, strata: Sequence[Stratum], options: int) -> None:
        self.strata = strata
        self._options = options
        self._tried: list[list[Tried]] = [[] for _ in strata]

    def __len__(self) -> int:
        return sum(map(len, self._tried))

    @property
    def has_least(self) -> bool:
        """Whether each stratum had its first few turns."""
        pairs = zip(self._tried, self.strata, strict=True)
        return all(len(tried) >= min(LEAST, len(stratum.turns)) for tried, stratum in pairs)

    @property
    def has_all(self) -> bool:
        """Whether every picture was tried, so that nothing is uncertain."""
        pairs = zip(self._tried, self.strata, strict=True)
        return all(len(tried) == stratum.pictures for tried, stratum in pairs)

    @property
    def kept(self) -> Counter[Reason]:
        """The pictures that no option would change, by why."""
        return Counter(one.kept for tried in self._tried for one in tried if one.kept)

    def next_turn(self, k: int) -> Turn:
        """The next of a stratum."""
        return self.strata[k].turns[len(self._tried[k])]

    def add(self, k: int, tried: Tried) -> None:
        """What was found in the picture whose turn it was."""
        self._tried[k].append(tried)

    def looked(self) -> Counter[str]:
        """How many pictures of each camera were tried."""
        pairs = zip(self._tried, self.strata, strict=True)
        return Counter(turn.camera for tried, stratum in pairs for turn in stratum.turns[: len(tried)])

    def ratios(self, confidence: float) -> list[Interval]:
        """For each option: how many times smaller the archive becomes."""
        return ratios(self._drawn(lambda turn, tried: [turn.bytes * left for left in tried.left]), confidence)

    def seconds(self) -> NDArray[np.float64]:
        """For each option: what a sweep of the archive needs."""
        return totals(self._drawn(lambda _, tried: tried.seconds))

    def recognised(self) -> NDArray[np.float64]:
        """For each option: of the pictures that models see, the share in which it recognises anything."""
        seen = means(self._drawn(lambda _, tried: [tried.kept is None] * self._options))
        recognised = means(self._drawn(lambda _, tried: tried.recognised))
        return np.divide(recognised, seen, out=np.zeros_like(seen), where=seen > 0)

    def _drawn(self, figures: Callable[[Turn, Tried], Sequence[float]]) -> list[Drawn]:
        """`figures` gives one for each option."""

        def drawn(stratum: Stratum, tried: Sequence[Tried]) -> Drawn:
            turns = stratum.turns[: len(tried)]
            sizes = np.array([turn.bytes for turn in turns], dtype=np.float64)
            values = np.array([figures(*pair) for pair in zip(turns, tried, strict=True)], dtype=np.float64)
            likely = chances(sizes, stratum.following(len(turns)))
            return Drawn(stratum.pictures, stratum.bytes, sizes, likely, values.reshape(len(turns), self._options))

        return [drawn(*pair) for pair in zip(self.strata, self._tried, strict=True)]


class Stopping:
    """Says when to stop. Asked after each picture, it looks at the intervals only now and then.

    The more often one looks, the likelier one stops at a moment when they are too narrow by chance.
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self._next = _FIRST
        self.reach: float | None = None
        """Half of the widest interval at the last look, as a fraction of its ratio; None before the first."""

    def is_enough(self, sample: Sample) -> bool:
        if len(sample) < self._next or not sample.has_least:
            return False
        self._next = len(sample) + max(10, int(_STEP * len(sample)))
        self.reach = max(interval.reach for interval in sample.ratios(self._confidence))
        return self.reach <= NARROW
