"""Accuracies, sizes and compression ratios of selectors, with bootstrap confidence intervals.

One resampling of the pictures serves all selectors, so that differences between them have intervals too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from study.observations import Observations
from study.selecting import Choices, at

LEVEL: Final = 0.95
_FIVE: Final = 5


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often pictures are drawn anew, with replacement, and from which seed."""

    seed: int = 2021
    resamples: int = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one selector: accuracies (fractions of one), bytes of all selected variants, and the compression ratio."""

    top1: Estimate
    top5: Estimate
    bytes: Estimate
    cr: Estimate


@dataclass(frozen=True, slots=True)
class Gains:
    """What a selector adds to the default's accuracies."""

    top1: Estimate
    top5: Estimate


@dataclass(frozen=True)
class _Sums:
    """Of the set itself (first) and of each resample, shape (resamples + 1, selectors) or (resamples + 1, 1)."""

    hits1: NDArray[np.float64]
    hits5: NDArray[np.float64]
    bytes: NDArray[np.float64]
    originals: NDArray[np.float64]


class Measured:
    """All selectors of one set of observations, measured together."""

    def __init__(self, seen: Observations, choices: Mapping[str, Choices], resampling: Resampling) -> None:
        self._places = {name: k for k, name in enumerate(choices)}
        self._pictures = len(seen)
        self._sums = _summed(seen, choices, resampling)

    def of(self, name: str) -> Measures:
        k = self._places[name]
        sums = self._sums
        return Measures(
            estimated(sums.hits1[:, k] / self._pictures),
            estimated(sums.hits5[:, k] / self._pictures),
            estimated(sums.bytes[:, k]),
            estimated(sums.originals[:, 0] / sums.bytes[:, k]),
        )

    def gains(self, name: str, over: str) -> Gains:
        k, base = self._places[name], self._places[over]
        hits = self._sums.hits1, self._sums.hits5
        return Gains(*(estimated((sums[:, k] - sums[:, base]) / self._pictures) for sums in hits))


def _summed(seen: Observations, choices: Mapping[str, Choices], resampling: Resampling) -> _Sums:
    columns = [_columns(seen, name, chosen) for name, chosen in choices.items()]
    table = np.concatenate([np.stack(columns, axis=2).reshape(len(seen), -1), seen.originals[:, None]], axis=1)
    sums = np.concatenate([table.sum(axis=0, keepdims=True), resampled(table, resampling)])
    hits1, hits5, sizes = sums[:, :-1].reshape(len(sums), 3, len(columns)).transpose(1, 0, 2)
    return _Sums(hits1, hits5, sizes, sums[:, -1:])


def _columns(seen: Observations, name: str, chosen: Choices) -> NDArray[np.float64]:
    """A selector's top-1 hits, top-5 hits and bytes, shape (p, 3)."""
    ranks = at(seen.ranks, chosen)
    sizes = seen.originals if name == "default" else at(seen.sizes, chosen)
    return np.stack([ranks <= 1, ranks <= _FIVE, sizes], axis=1).astype(np.float64)


def resampled(table: NDArray[np.float64], resampling: Resampling) -> NDArray[np.float64]:
    """The sums of each resample, one after the other: memory does not grow with their number times the pictures."""
    generator = np.random.default_rng(resampling.seed)
    pictures = len(table)
    draws = (generator.integers(pictures, size=pictures) for _ in range(resampling.resamples))
    return np.stack([np.bincount(drawn, minlength=pictures) @ table for drawn in draws])


def estimated(values: NDArray[np.float64]) -> Estimate:
    """The first value, with the interval of those that follow."""
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(values[0]), float(low), float(high))
