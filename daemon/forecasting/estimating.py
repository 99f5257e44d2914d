"""From a sample to the archive: totals, and intervals that are honest. Pure.

A picture's chance to be drawn follows from its size and from the time of the turn after the last that was looked at
(sampling.py), so each stands for 1 / chance pictures; when all were looked at each stands for itself, and nothing is
uncertain. What is known exactly, the bytes of each stratum, corrects that: a ratio estimator in each stratum.

Two things make usual intervals too narrow, and are dealt with:

- Pictures that do not shrink may be rare and yet hold much of the bytes that stay. A sample without one says nothing of
  them. So the interval is as wide as if UNSEEN more had been drawn that do not shrink at all.
- Few pictures of a stratum tell little of its spread: quantiles are Student's, with Satterthwaite's degrees of freedom.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

UNSEEN: Final = 3
"""Pictures: enough to have made the intervals of archives with such pictures honest, as a test counts."""
_TWO: Final = 2
_TINY: Final = 1e-12
_ANYTHING: Final = 50.0
"""Logarithms of a ratio: what may be that far off says nothing."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure that was estimated, and its bounds."""

    value: float
    low: float
    high: float

    @property
    def reach(self) -> float:
        """Half of its width, as a fraction of the figure."""
        return (self.high - self.low) / 2 / self.value


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was drawn from a stratum of so many pictures and bytes, and what was found of it.

    `sizes` in bytes and `chances` to be drawn, shape (n,); `values`, k figures of each picture, shape (n, k).
    """

    pictures: int
    bytes: int
    sizes: NDArray[np.float64]
    chances: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def is_all(self) -> bool:
        return len(self.sizes) == self.pictures

    @property
    def weights(self) -> NDArray[np.float64]:
        """How many pictures of its stratum each stands for, so that their bytes add up to the stratum's: shape (n,)."""
        raw = 1 / self.chances
        weights: NDArray[np.float64] = raw * (self.bytes / (raw @ self.sizes)) if len(raw) else raw
        return weights


def chances(sizes: NDArray[np.float64], following: float) -> NDArray[np.float64]:
    """How likely each had its turn before the next one of its stratum; `sizes` in bytes, shape (n,)."""
    drawn: NDArray[np.float64] = -np.expm1(-sizes * following)
    return drawn


def totals(drawn: Sequence[Drawn]) -> NDArray[np.float64]:
    """Each figure, summed over the archive in proportion to bytes: shape (k,). Something must have been drawn."""
    seen = [one for one in drawn if len(one.sizes)]
    scale = sum(one.bytes for one in drawn) / sum(one.bytes for one in seen)
    summed: NDArray[np.float64] = scale * np.sum([one.weights @ one.values for one in seen], axis=0)
    return summed


def means(drawn: Sequence[Drawn]) -> NDArray[np.float64]:
    """Each figure's mean over the archive's pictures: shape (k,). Something must have been drawn."""
    seen = [one for one in drawn if len(one.sizes)]
    averages = [(one.weights / one.weights.sum()) @ one.values for one in seen]
    mean: NDArray[np.float64] = np.average(averages, axis=0, weights=[one.pictures for one in seen])
    return mean


def ratios(drawn: Sequence[Drawn], confidence: float) -> list[Interval]:
    """How many times smaller the archive becomes, for each of k `values`: the bytes that are left of each picture.

    Something must have been drawn. Where that is too little to tell, the upper bound is infinite.
    """
    left, reach = _left(_pooled(drawn), confidence)
    return [
        Interval(1 / share, max(1.0, math.exp(-width) / share), math.exp(width) / share)
        for share, width in zip(left.tolist(), reach.tolist(), strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Pool:
    """Strata whose spread is estimated together; shapes as Drawn has them."""

    bytes: int
    sizes: NDArray[np.float64]
    chances: NDArray[np.float64]
    weights: NDArray[np.float64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, drawn: Sequence[Drawn]) -> Self:
        size = sum(one.bytes for one in drawn)
        reached = sum(one.bytes for one in drawn if len(one.sizes)) / size  # a stratum may have had no turn yet
        columns = zip(*((one.sizes, reached * one.chances, one.weights, one.values) for one in drawn), strict=True)
        return cls(size, *map(np.concatenate, columns))

    def left(self) -> NDArray[np.float64]:
        """The share of its bytes that is left: shape (k,)."""
        left: NDArray[np.float64] = self.weights @ self.values / (self.weights @ self.sizes)
        return left

    def variance(self) -> NDArray[np.float64]:
        """Of that share: shape (k,). Zero where all was drawn, infinite where one picture was."""
        n = len(self.sizes)
        off = self.weights[:, None] * (self.values - self.sizes[:, None] * self.left())
        squares = (1 - self.chances) @ off**2 / (self.weights @ self.sizes) ** 2
        if n == 1:
            return np.full_like(squares, 0.0 if self.chances[0] == 1 else math.inf)
        return squares * n / (n - 1)


def _pooled(drawn: Sequence[Drawn]) -> list[_Pool]:
    """Each stratum alone, but those of which one picture was drawn, or none, together, and with others if need be."""
    by_count = sorted(drawn, key=lambda one: len(one.sizes))
    poor = [one for one in by_count if len(one.sizes) < _TWO and not one.is_all]
    rich = [one for one in by_count if one not in poor]
    while rich and poor and sum(len(one.sizes) for one in poor) < _TWO:
        poor.append(rich.pop(0))
    return [_Pool.of(ones) for ones in (*([one] for one in rich), poor) if ones]


def _left(pools: Sequence[_Pool], confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of the archive's bytes that is left, and how far off its logarithm may be: shapes (k,)."""
    parts = np.array([pool.bytes for pool in pools]) / sum(pool.bytes for pool in pools)
    counts = np.array([len(pool.sizes) for pool in pools])
    left: NDArray[np.float64] = parts @ np.array([pool.left() for pool in pools])
    variances = parts[:, None] ** 2 * np.array([pool.variance() for pool in pools])
    if np.isinf(variances).any():
        return left, np.full_like(left, math.inf)
    not_drawn = parts * np.array([1 - pool.sizes.sum() / pool.bytes for pool in pools])
    unseen = UNSEEN * ((1 - left) * (not_drawn**2 / counts).sum() / max(not_drawn.sum(), _TINY)) ** 2
    quantile = stdtrit(_freedom(variances, counts), (1 + confidence) / 2)
    reach = quantile * np.sqrt(variances.sum(axis=0) + unseen) / left
    return left, np.where(reach < _ANYTHING, reach, math.inf)


def _freedom(variances: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Satterthwaite's degrees of freedom of a sum of variances, shape (strata, k), each from `counts`: shape (k,)."""
    squares = (variances**2 / np.maximum(counts - 1, 1)[:, None]).sum(axis=0)
    all_equal = np.full_like(squares, max(int(counts.sum()) - len(counts), 1))
    freedom: NDArray[np.float64] = np.divide(variances.sum(axis=0) ** 2, squares, out=all_equal, where=squares > 0)
    return np.maximum(freedom, 1)
