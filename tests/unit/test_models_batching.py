"""Batches shrink when memory is short, lose no picture and keep their order."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from framekeep.models.batching import run_within


class FullMemory:
    """A forward pass on a GPU whose memory has room for so many items."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [2 * item for item in batch]


@given(st.integers(1, 70), st.lists(st.integers()), st.integers(1, 70))
def test_every_item_is_answered_in_order_whatever_fits(limit: int, items: list[int], room: int) -> None:
    answers, left = run_within(limit, items, FullMemory(room), torch.OutOfMemoryError)
    assert answers == [2 * item for item in items]
    assert 1 <= left <= limit


def test_the_smaller_batch_is_remembered() -> None:
    gpu = FullMemory(room=5)
    _, left = run_within(16, range(40), gpu, torch.OutOfMemoryError)
    assert gpu.tried == [16, 8, *[4] * 10]
    assert left == 4


def test_a_short_rest_that_does_not_fit_is_halved_too() -> None:
    gpu = FullMemory(room=1)
    answers, left = run_within(64, range(3), gpu, torch.OutOfMemoryError)
    assert (answers, left, gpu.tried) == ([0, 2, 4], 1, [3, 1, 1, 1])


def test_one_item_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        run_within(4, range(4), FullMemory(room=0), torch.OutOfMemoryError)


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    def broken(_: Sequence[int]) -> list[int]:
        raise RuntimeError("cuDNN error")

    with pytest.raises(RuntimeError, match="cuDNN"):
        run_within(4, range(4), broken, torch.OutOfMemoryError)
