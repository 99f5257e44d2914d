"""What the paper proves, checked on every table of observations: where it fails, framekeep has a bug."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from study.observations import Observations
from study.selecting import Choices, at, default

_KEPT: Final = {"t1k": (1,), "t5k": (5,), "ttk": (1, 5)}


class BrokenClaimError(AssertionError):
    """Something that is proved does not hold, so the program that computed it is wrong."""

    def __init__(self, claim: str) -> None:
        super().__init__(f"this is a bug in framekeep, please report it: {claim}")


def check_all(seen: Observations, choices: Mapping[str, Choices]) -> None:
    """Theorem 1 for every selector, and that each keeper keeps its accuracy. Raises BrokenClaimError."""
    check_theorem(seen, choices)
    for name, tops in _KEPT.items():
        for k in tops:
            check_kept(seen, choices[name], k, name)


def check_theorem(seen: Observations, choices: Mapping[str, Choices]) -> None:
    """Theorem 1: at no k has a selector a higher top-k accuracy than HRS."""
    best = _hits(at(seen.ranks, choices["hrs"]), seen)
    for name, chosen in choices.items():
        better = np.flatnonzero(_hits(at(seen.ranks, chosen), seen) > best)
        if len(better):
            raise BrokenClaimError(f"{name} has a higher top-{better[0] + 1} accuracy than HRS, against Theorem 1")


def check_kept(seen: Observations, chosen: Choices, k: int, name: str) -> None:
    """A keeper keeps the original's top-k accuracy exactly: of every picture, not only on the whole."""
    before, after = (at(seen.ranks, one) <= k for one in (default(seen), chosen))
    if (before != after).any():
        picture = seen.paths[int(np.flatnonzero(before != after)[0])]
        raise BrokenClaimError(f"{name} does not keep the top-{k} accuracy ({picture})")


def _hits(ranks: NDArray[np.int32], seen: Observations) -> NDArray[np.intp]:
    """Pictures whose ground truth is among the k likeliest, for k = 1 … classes."""
    return np.cumsum(np.bincount(ranks.astype(np.intp), minlength=seen.conditions.classes + 1)[1:])
