"""The search over a picture's variants: pure generators that do no I/O and know only costs.

A search yields the number j of the variant that it wants seen (1…n, never 0, the original), is sent that variant's
cost, and returns its choice: the least cost, ties to the largest j, which is the smallest file. A variant that cannot
be had, or that is no smaller than the original, costs NEVER.
"""

import math
from collections.abc import Callable, Generator
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
    return (yield from _upward(rungs, 0, original_cost))


def quick(rungs: int, original_cost: float, start: int) -> Search:
    """Fewer looks where a picture much like this one ended at `start`; not always the same choice.

    From there on to smaller files as long as they cost nothing; where `start` itself costs something, to larger ones,
    up to the first that costs nothing. Where `start` is no smaller than the original, larger ones are not either, and
    the first that is smaller takes its place. What lies beyond is not seen: a smaller file may be missed, but what is
    chosen has been seen, and costs no more than the original.
    """
    top, j = start - 1, start
    cost = yield j
    while cost == NEVER and j < rungs:
        top, j = 0, j + 1
        cost = yield j
    if cost > 0:
        return (yield from _upward(top, *((j, cost) if cost <= original_cost else (0, original_cost))))
    while j < rungs and (yield j + 1) == 0:
        j += 1
    return j


def _upward(top: int, choice: int, least: float) -> Search:
    """To larger files, down to the first that costs nothing; `choice` at cost `least` is the best so far."""
    for j in range(top, 0, -1):
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
