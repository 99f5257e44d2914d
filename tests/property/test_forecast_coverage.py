"""Whether a forecast's intervals are honest: of many samples from an archive that is known, how many hold the truth.

Each sample is drawn, and ended, as a forecast does it: by the same order and the same rule for stopping.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random

import numpy as np
import pytest

from daemon.forecasting import estimating
from daemon.forecasting.judging import Tried
from daemon.forecasting.sample import Sample, Stopping
from daemon.forecasting.sampling import Archive, in_order

SAMPLES = 400
HONEST = 0.93
"""Of intervals that promise 0.95; 400 samples of such intervals have less than that once in 40 times."""

Camera = tuple[np.ndarray, np.ndarray]
"""Bytes of each picture, and the fraction that is left of it."""


def camera(
    chance: np.random.Generator, pictures: int, spread: float, left: tuple[float, float], whole: float = 0.0
) -> Camera:
    """Heavy tails: sizes and what is `left` are lognormal. `whole` is the share of pictures that do not shrink."""
    sizes = chance.lognormal(np.log(200_000), spread, pictures).clip(500).round()
    fractions = chance.lognormal(np.log(left[0]), left[1], pictures).clip(0.02, 1)
    return sizes, np.where(chance.random(pictures) < whole, 1.0, fractions)


def heavy_tails(chance: np.random.Generator) -> list[Camera]:
    shapes = ((800, 1.5, (0.1, 0.5), 0.02), (300, 1.2, (0.3, 0.6), 0.02), (50, 1.0, (0.6, 0.3)))
    return [camera(chance, *shape) for shape in shapes]


def many_small_cameras(chance: np.random.Generator) -> list[Camera]:
    shapes = [(int(chance.integers(5, 60)), 0.8, (chance.uniform(0.05, 0.7), 0.6), 0.05) for _ in range(60)]
    return [camera(chance, *shape) for shape in shapes]


def two_kinds(chance: np.random.Generator) -> list[Camera]:
    cameras = [camera(chance, 700, 0.7, (0.1, 0.1)) for _ in range(2)]
    return [(sizes, np.where(chance.random(len(sizes)) < 0.3, 0.7, 0.07)) for sizes, _ in cameras]


def a_few_giants(chance: np.random.Generator) -> list[Camera]:
    sizes, fractions = camera(chance, 1000, 0.8, (0.1, 0.4))
    sizes[:4] = sizes.sum() / 10
    return [(sizes, np.where(np.arange(1000) < 4, 0.9, fractions))]


MAKING = {
    "heavy tails": heavy_tails,
    "rarely whole": lambda chance: [camera(chance, 1500, 0.5, (0.08, 0.2), 0.02)],
    "many small cameras": many_small_cameras,
    "two kinds": two_kinds,
    "few pictures": lambda chance: [camera(chance, count, 0.8, (0.25, 0.8), 0.1) for count in (12, 60)],
    "a few giants": a_few_giants,
    "hardly shrinks": lambda chance: [camera(chance, 200, 0.4, (0.7, 0.15), 0.5) for _ in range(2)],
}


def made(name: str) -> list[Camera]:
    """Always the same."""
    return MAKING[name](np.random.default_rng(2021))


def samples(cameras: list[Camera], ended: Callable[[Sample], Callable[[], bool]]) -> Iterator[Sample]:
    """Each from the same archive, with chance of its own."""
    for seed in range(SAMPLES):
        archive = Archive(Random(seed))  # noqa: S311 - a sample, no secret
        for k, (sizes, fractions) in enumerate(cameras):
            for size, left in zip(sizes.astype(int).tolist(), fractions.tolist(), strict=True):
                archive.add(f"camera {k}", 0, repr(left), size)
        sample = Sample(archive.strata(), 1)
        is_over = ended(sample)
        for k in in_order(sample.strata):
            sample.add(k, Tried((float(sample.next_turn(k).path),), (0.0,), (False,)))
            if is_over():
                break
        yield sample


def coverage(cameras: list[Camera], ended: Callable[[Sample], Callable[[], bool]]) -> float:
    truth = sum(sizes.sum() for sizes, _ in cameras) / sum(sizes @ fractions for sizes, fractions in cameras)
    intervals = [sample.ratios(0.95)[0] for sample in samples(cameras, ended)]
    rounding = 1 + 1e-9
    return float(np.mean([one.low <= truth * rounding and truth <= one.high * rounding for one in intervals]))


def when_narrow(sample: Sample) -> Callable[[], bool]:
    stopping = Stopping(0.95)
    return lambda: stopping.is_enough(sample)


def after(pictures: int) -> Callable[[Sample], Callable[[], bool]]:
    """As a clock ends it."""
    return lambda sample: lambda: len(sample) >= pictures


@pytest.mark.parametrize("name", MAKING)
def test_intervals_hold_the_truth_though_a_forecast_stops_when_they_are_narrow(name: str):
    assert coverage(made(name), when_narrow) >= HONEST


@pytest.mark.parametrize("pictures", [3, 15, 60])
@pytest.mark.parametrize("name", ["heavy tails", "many small cameras", "few pictures"])
def test_intervals_hold_the_truth_whenever_the_time_is_over(name: str, pictures: int):
    assert coverage(made(name), after(pictures)) >= HONEST


def test_without_the_pictures_that_nobody_saw_intervals_would_lie(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(estimating, "UNSEEN", 0)
    assert coverage(made("rarely whole"), when_narrow) < 0.7


def test_without_students_quantiles_the_first_few_pictures_would_tell_too_much(monkeypatch: pytest.MonkeyPatch):
    assert coverage(made("hardly shrinks"), after(5)) >= HONEST
    monkeypatch.setattr(estimating, "_freedom", lambda variances, _: np.full(variances.shape[1], 1e6))
    assert coverage(made("hardly shrinks"), after(5)) < 0.9


def test_intervals_are_narrow_where_a_forecast_says_so():
    for sample in islice(samples(made("two kinds"), when_narrow), 50):
        (interval,) = sample.ratios(0.95)
        assert interval.high - interval.low <= 0.2 * interval.value
        assert not sample.has_all
