"""The paper's selectors over all pictures at once: which variant each of them takes, as a number j a picture.

The rule is that of `framekeep.search.exhaustive` with the heart's keepers; a property test proves them equal.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from framekeep.keepers.labels import MARGIN
from study.observations import Observations

Choices = NDArray[np.intp]
"""The selected j of each picture, shape (p,)."""
Costs = NDArray[np.float64]
"""What each variant costs, shape (p, n+1)."""

Kind = TypeVar("Kind", bound=np.generic)

_NOT_COUNTED: Final = -1
"""In the place of a label that does not reach `min_confidence`."""


def default(seen: Observations) -> Choices:
    """Always the original."""
    return np.zeros(len(seen), np.intp)


def highest_rank(seen: Observations) -> Choices:
    """HRS (section 3.1): the best rank of the ground truth."""
    return _least(seen, seen.ranks.astype(np.float64))


def keeping(seen: Observations, counts: tuple[int, ...], min_confidence: float = 0.0) -> Choices:
    """T1K with counts (1,), T5K with (5,), TTK with both (section 5)."""
    costs = np.max([_changed(seen, count, min_confidence) for count in counts], axis=0)
    return _least(seen, costs)


def constant(seen: Observations, j: int) -> Choices:
    """The same variant for all; the original of those that may not have it."""
    return np.where(seen.eligible[:, j], j, 0)


def at(seen: NDArray[Kind], choices: Choices) -> NDArray[Kind]:
    """Of values with the shape (p, n+1), those of the selected variants, shape (p,)."""
    return seen[np.arange(len(choices)), choices]


def _least(seen: Observations, costs: Costs) -> Choices:
    """The least cost, ties to the largest j."""
    possible = np.where(seen.eligible, costs, np.inf)
    backwards = possible[:, ::-1]
    chosen: Choices = possible.shape[1] - 1 - backwards.argmin(axis=1)
    return chosen


def _changed(seen: Observations, count: int, min_confidence: float) -> Costs:
    """1 where the set of the labels that count is not the original's, 0 where it is; the original costs nothing.

    In the daemon's way what is too close to call costs 1 as well.
    """
    labels, distance = _recognised(seen, count, min_confidence)
    costs = (labels != labels[:, :1]).any(axis=2)
    if seen.conditions.counting == "daemon":
        costs |= np.minimum(distance, distance[:, :1]) < MARGIN
    costs[:, 0] = False
    return np.asarray(costs, np.float64)


def _recognised(seen: Observations, count: int, min_confidence: float) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The labels that count, sorted, shape (p, n+1, count), and the smallest of the distances that decided which."""
    probabilities = seen.probabilities.astype(np.float64)
    leaders, runner_up = probabilities[..., :count], probabilities[..., count : count + 1]
    reached = leaders >= min_confidence
    labels = np.sort(np.where(reached, seen.top[..., :count], _NOT_COUNTED), axis=2)
    distances = np.where(reached[..., -1:], _distance(leaders[..., -1:], runner_up), np.inf)
    if min_confidence > 0:
        to_bound = _distance(leaders, np.full((1, 1, 1), min_confidence))
        distances = np.concatenate([distances, to_bound], axis=2)
    return labels, distances.min(axis=2, initial=np.inf)


def _distance(ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """As the heart measures it: the logarithm of their ratio; 0 between equals, infinite from nothing to something."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distances: NDArray[np.float64] = np.abs(np.log(ones / others))
    return np.where(ones == others, 0.0, distances)
