"""Accuracies, ratios and their intervals, against figures made by hand and by scipy."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from framekeep.ladder import parse_ladder
from study.measuring import Measured, Resampling
from study.observations import Conditions, Observations


def seen(pictures: int, seed: int = 1) -> Observations:
    """Two rungs; what matters here are ranks and sizes."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(10, 1000, (pictures, 3))
    return Observations(
        Conditions("drawn", "00", "none", parse_ladder("90,10"), "none", "paper", 10),
        [str(k) for k in range(10)],
        tuple(f"{k}.jpg" for k in range(pictures)),
        tuple(bytes([k % 256]) * 32 for k in range(pictures)),
        np.zeros(pictures, np.int32),
        sizes[:, 0] + 7,
        sizes,
        np.ones((pictures, 3), bool),
        generator.integers(1, 11, (pictures, 3)).astype(np.int32),
        np.zeros((pictures, 3), np.float32),
        np.zeros((pictures, 3, 6), np.int32),
        np.zeros((pictures, 3, 6), np.float32),
    )


def test_the_figures_are_those_of_the_set_itself() -> None:
    table = seen(40)
    chosen = np.array([0, 1] * 20)
    measures = Measured(table, {"default": np.zeros(40, int), "mine": chosen}, Resampling(resamples=20)).of("mine")
    ranks = [int(table.ranks[k, chosen[k]]) for k in range(40)]
    size = sum(int(table.sizes[k, chosen[k]]) for k in range(40))
    assert measures.top1.value == sum(rank == 1 for rank in ranks) / 40
    assert measures.top5.value == sum(rank <= 5 for rank in ranks) / 40
    assert measures.bytes.value == size
    assert measures.cr.value == pytest.approx(sum(table.originals) / size)


def test_the_default_takes_the_files_as_they_lie_there() -> None:
    table = seen(5)
    default = Measured(table, {"default": np.zeros(5, int)}, Resampling(resamples=20)).of("default")
    assert default.bytes.value == table.originals.sum()
    assert (default.cr.value, default.cr.low, default.cr.high) == (1, 1, 1)


def test_intervals_agree_with_scipys() -> None:
    table = seen(300)
    last = np.full(300, 2)
    measures = Measured(table, {"default": last * 0, "mine": last}, Resampling(resamples=4000)).of("mine")
    hits = (table.ranks[:, 2] <= 5).astype(float)
    told = bootstrap((hits,), np.mean, n_resamples=4000, method="percentile", rng=5).confidence_interval
    assert (measures.top5.low, measures.top5.high) == pytest.approx((told.low, told.high), abs=0.01)

    def ratio(before: np.ndarray, after: np.ndarray, axis: int) -> np.ndarray:
        return before.sum(axis=axis) / after.sum(axis=axis)

    pairs = table.originals, table.sizes[:, 2]
    told = bootstrap(pairs, ratio, n_resamples=4000, method="percentile", paired=True, rng=5).confidence_interval
    assert (measures.cr.low, measures.cr.high) == pytest.approx((told.low, told.high), rel=0.01)


def test_a_seed_gives_the_same_intervals_again_and_another_one_does_not() -> None:
    choices = {"default": np.zeros(60, int)}
    one, same, other = (Measured(seen(60), choices, Resampling(seed, 50)).of("default") for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_gain_is_resampled_in_pairs() -> None:
    table = seen(60)
    choices = {"default": np.zeros(60, int), "mine": np.full(60, 1)}
    measured = Measured(table, choices, Resampling(resamples=200))
    gains = measured.gains("mine", over="default")
    assert gains.top1.value == pytest.approx(measured.of("mine").top1.value - measured.of("default").top1.value)
    nothing = measured.gains("mine", over="mine").top1
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
