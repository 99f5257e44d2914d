"""When a block is unfrozen, in what order pictures are shown, and how parameters are averaged."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from study.topology.averaging import averaged
from study.topology.pictures import Picture, batches, hold_out
from study.topology.processes import World
from study.topology.recipe import Epoch, Recipe, is_plateau, next_stage


def curve(*stages: list[float]) -> list[Epoch]:
    """Of top-1 accuracies by stage; the first is the one before any training."""
    lines = [(stage, top1) for stage, accuracies in enumerate(stages) for top1 in accuracies]
    return [Epoch(number, stage, 0.01, 1.0, 1.0, top1, top1) for number, (stage, top1) in enumerate(lines)]


@pytest.mark.parametrize(
    ("errors", "plateau"),
    [
        ([0.5], False),
        ([0.5, 0.4, 0.3], False),
        ([0.5, 0.5, 0.5], True),
        ([0.5, 0.6, 0.49], False),
        ([0.5, 0.3, 0.4, 0.3], True),  # as small as before is not smaller
        ([0.5, 0.3, 0.3], False),
    ],
)
def test_a_plateau_is_two_epochs_without_a_smaller_error(errors: list[float], plateau: bool) -> None:
    assert is_plateau(errors, patience=2) is plateau


def test_a_stage_goes_on_while_it_learns_and_then_a_block_is_unfrozen() -> None:
    recipe = Recipe(unfreeze=2, epochs=4)
    assert next_stage(curve([0.0]), recipe) == 0
    assert next_stage(curve([0.0, 0.1, 0.2]), recipe) == 0
    assert next_stage(curve([0.0, 0.1, 0.1, 0.1]), recipe) == 1
    assert next_stage(curve([0.0, 0.1, 0.1, 0.1], [0.2]), recipe) == 1
    assert next_stage(curve([0.0, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2]), recipe) == 2
    assert next_stage(curve([0.0, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2], [0.3, 0.2, 0.1]), recipe) is None


def test_no_stage_gets_more_epochs_than_the_recipe_has() -> None:
    recipe = Recipe(unfreeze=1, epochs=2)
    assert next_stage(curve([0.0, 0.1]), recipe) == 0
    assert next_stage(curve([0.0, 0.1, 0.2]), recipe) == 1
    assert next_stage(curve([0.0, 0.1, 0.2], [0.3]), recipe) == 1
    assert next_stage(curve([0.0, 0.1, 0.2], [0.3, 0.4]), recipe) is None


def test_each_stage_has_a_tenth_of_the_learning_rate() -> None:
    assert [Recipe().rate(stage) for stage in range(3)] == [0.01, 0.001, 0.0001]


@given(count=st.integers(1, 400), size=st.integers(1, 120), seed=st.integers(0, 9), epoch=st.integers(0, 9))
def test_an_epoch_shows_each_picture_at_most_once(count: int, size: int, seed: int, epoch: int) -> None:
    made = batches(count, size, seed, epoch)
    shown = [k for batch in made for k in batch]
    assert len(set(shown)) == len(shown)
    assert set(shown) <= set(range(count))
    assert count - len(shown) < size
    assert {len(batch) for batch in made} == {min(size, count)}
    assert made == batches(count, size, seed, epoch)


def test_epochs_and_seeds_differ() -> None:
    orders = [batches(50, 50, seed, epoch)[0] for seed in range(2) for epoch in range(2)]
    assert all(one != other for k, one in enumerate(orders) for other in orders[:k])


@given(size=st.integers(1, 5), items=st.lists(st.integers(), max_size=30, unique=True))
def test_processes_share_all_work_and_none_twice(size: int, items: list[int]) -> None:
    shares = [World(torch.device("cpu"), rank, size).share(items) for rank in range(size)]
    assert sorted(k for share in shares for k in share) == sorted(items)


def test_held_out_pictures_are_not_trained_on() -> None:
    pictures = [Picture(f"{k}.jpg", k) for k in range(20)]  # type: ignore[arg-type]  # a name does here
    training, held = hold_out(pictures, 5, seed=3)
    assert len(held) == 5
    assert sorted([*training, *held], key=lambda picture: picture.label) == pictures
    assert hold_out(pictures, 5, seed=3) == (training, held)
    assert hold_out(pictures, 5, seed=4) != (training, held)


def test_the_average_follows_tensorflows_rule() -> None:
    module = torch.nn.Linear(1, 1)
    average = averaged(module, decay=0.5)
    expected = None
    for count, value in enumerate([3.0, 5.0, 7.0, -2.0, 11.0, 4.0, 4.0, 8.0, 1.0, 0.0, 6.0]):
        torch.nn.init.constant_(module.weight, value)
        average.update_parameters(module)
        decay = min(0.5, (1 + count) / (10 + count))
        expected = value if expected is None else decay * expected + (1 - decay) * value
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)
