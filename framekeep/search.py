"""The search over a picture's variants: pure generators that do no I/O and know only costs.

A search yields the number j of the variant that it wants seen (1…n, never 0, the original), is sent that variant's
cost, and returns its choice: the least cost, ties to the largest j, which is the smallest file. A variant that cannot
be had, or that is no smaller than the original, costs NEVER.
"""

import math
from collections.abc import Callable, Generator, Iterable
from typing import Final

Search = Generator[int, float, int]

NEVER: Final = math.inf


def exhaustive(rungs: int, original_cost: float) -> Search:
    """The paper's way (sections 3 and 5): sees every variant."""
    costs = [original_cost]
    for j in range(1, rungs + 1):
        costs.append((yield j))  # noqa: PERF401 - a comprehension cannot yield
    return max(j for j, cost in enumerate(costs) if cost == min(costs))


def lazy(rungs: int, original_cost: float) -> Search:
    """The same choice with fewer looks: from the largest j down to the first that costs nothing."""
    return quick(range(rungs, 0, -1), original_cost)


def quick(guesses: Iterable[int], original_cost: float) -> Search:
    """Sees the guesses alone, falling numbers all, down to the first that costs nothing.

    A smaller file may be missed, but what is chosen has been seen, and costs no more than the original.
    """
    choice, least = 0, original_cost
    for j in guesses:
        cost = yield j
        if cost == 0:
            return j
        if cost < least or (choice == 0 and cost == least):
            choice, least = j, cost
    return choice


def run(search: Search, cost_of: Callable[[int], float]) -> int:
    """Drives a search to its choice with costs that are at hand."""
    try:
        wanted = next(search)
        while True:
            wanted = search.send(cost_of(wanted))
    except StopIteration as end:
        choice: int = end.value
        return choice
