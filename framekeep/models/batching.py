"""Batches that shrink until they fit the memory."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def run_within(
    limit: int,
    items: Sequence[Item],
    forward: Callable[[Sequence[Item]], list[Answer]],
    out_of_memory: type[Exception],
) -> tuple[list[Answer], int]:
    """The answers to all items, in order, and the largest batch that may be tried next time.

    `forward` never gets more than `limit` items. Where it raises `out_of_memory` the batch is halved, and the rest
    goes on with the smaller one. Raises what `forward` raised where a single item does not fit.
    """
    answers: list[Answer] = []
    while len(answers) < len(items):
        batch = items[len(answers) : len(answers) + limit]
        try:
            answers += forward(batch)
        except out_of_memory:
            if len(batch) == 1:
                raise
            limit = len(batch) // 2
    return answers, limit
