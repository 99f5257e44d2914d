"""Whether a forecast's intervals are honest: of many samples from an archive that is known, how many hold the truth.

Each sample is drawn, and ended, as a forecast does it: by the same order and the same rule for stopping.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random

import numpy as np
import pytest
from scipy.special import ndtri

from daemon.forecasting import estimating
from daemon.forecasting.estimating import Interval
from daemon.forecasting.judging import Tried
from daemon.forecasting.sample import Sample, Stopping
from daemon.forecasting.sampling import Archive, in_order

SAMPLES = 400
HONEST = 0.93
"""Of intervals that promise 0.95; 400 samples of such intervals have less than that once in 40 times."""

CLOCKS = (3, 15, 60)
"""After so many pictures somebody's time is over."""
NARROW = 0
"""Stands for the end that intervals which are narrow enough bring."""

Camera = tuple[np.ndarray, np.ndarray]
"""Bytes of each picture, and the fraction that is left of it."""


def camera(
    chance: np.random.Generator, pictures: int, spread: float, left: tuple[float, float], whole: float = 0.0
) -> Camera:
    """Heavy tails: sizes and what is `left` are lognormal. `whole` is the share of pictures that do not shrink."""
    sizes = chance.lognormal(np.log(200_000), spread, pictures).clip(500).round()
    fractions = chance.lognormal(np.log(left[0]), left[1], pictures).clip(0.02, 1)
    return sizes, np.where(chance.random(pictures) < whole, 1.0, fractions)


def made(name: str) -> list[Camera]:
    chance = np.random.default_rng(2021)
    if name == "heavy tails":
        return [
            camera(chance, *shape)
            for shape in ((800, 1.5, (0.1, 0.5), 0.02), (300, 1.2, (0.3, 0.6), 0.02), (50, 1.0, (0.6, 0.3)))
        ]
    if name == "rarely whole":
        return [camera(chance, 1500, 0.5, (0.08, 0.2), 0.02)]
    if name == "many small cameras":
        return [
            camera(chance, int(chance.integers(5, 60)), 0.8, (chance.uniform(0.05, 0.7), 0.6), 0.05) for _ in range(60)
        ]
    if name == "two kinds":
        cameras = [camera(chance, 600, 0.7, (0.1, 0.1)) for _ in range(4)]
        return [(sizes, np.where(chance.random(len(sizes)) < 0.3, 0.7, 0.07)) for sizes, _ in cameras]
    if name == "few pictures":
        return [camera(chance, 12, 0.8, (0.2, 0.8), 0.1), camera(chance, 60, 0.8, (0.3, 0.8), 0.1)]
    sizes, fractions = camera(chance, 1000, 0.8, (0.1, 0.4))
    sizes[:4] = sizes.sum() / 10
    return [(sizes, np.where(sizes > 1e6, 0.9, fractions))]


ARCHIVES = ("heavy tails", "rarely whole", "many small cameras", "two kinds", "few pictures", "a few giants")


def samples(cameras: list[Camera]) -> Iterator[Sample]:
    """Each from the same archive, with chance of its own, and nothing drawn yet."""
    pictures = [
        (f"camera {k}", repr(left), size)
        for k, (sizes, fractions) in enumerate(cameras)
        for size, left in zip(sizes.astype(int).tolist(), fractions.tolist(), strict=True)
    ]
    for seed in range(SAMPLES):
        archive = Archive(Random(seed))  # noqa: S311 - a sample, no secret
        for camera_name, left, size in pictures:
            archive.add(camera_name, 0, left, size)
        yield Sample(archive.strata(), 1)


def growing(sample: Sample) -> Iterator[None]:
    """Draws one picture after the other."""
    for k in in_order(sample.strata):
        sample.add(k, Tried((float(sample.next_turn(k).path),), (0.0,), (False,)))
        yield


def drawn(cameras: list[Camera], clocks: Sequence[int] = ()) -> dict[int, list[Interval]]:
    """The intervals of all samples: by the number of pictures after which a clock ends them, or as NARROW.

    To fill an archive takes long, so one sample is asked at all of its ends.
    """
    found: dict[int, list[Interval]] = {end: [] for end in (NARROW, *clocks)}
    for sample in samples(cameras):
        stopping, is_narrow = Stopping(0.95), False
        for _ in growing(sample):
            if len(sample) in clocks:
                found[len(sample)] += sample.ratios(0.95)
            if not is_narrow and stopping.is_enough(sample):
                is_narrow = True
                found[NARROW] += sample.ratios(0.95)
            if is_narrow and len(sample) >= max(clocks, default=0):
                break
        if not is_narrow:
            found[NARROW] += sample.ratios(0.95)
    return found


@cache
def intervals(name: str) -> dict[int, list[Interval]]:
    return drawn(made(name), CLOCKS)


def coverage(name: str, found: Sequence[Interval]) -> float:
    cameras = made(name)
    truth = sum(sizes.sum() for sizes, _ in cameras) / sum(sizes @ fractions for sizes, fractions in cameras)
    rounding = 1 + 1e-9
    assert len(found) == SAMPLES
    return float(np.mean([one.low <= truth * rounding and truth <= one.high * rounding for one in found]))


@pytest.mark.parametrize("name", ARCHIVES)
def test_intervals_hold_the_truth_though_a_forecast_stops_when_they_are_narrow(name: str):
    assert coverage(name, intervals(name)[NARROW]) >= HONEST


@pytest.mark.parametrize("pictures", CLOCKS)
@pytest.mark.parametrize("name", ARCHIVES)
def test_intervals_hold_the_truth_whenever_the_time_is_over(name: str, pictures: int):
    assert coverage(name, intervals(name)[pictures]) >= HONEST


def test_without_the_pictures_that_nobody_saw_intervals_would_lie(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(estimating, "UNSEEN", 0)
    assert coverage("rarely whole", drawn(made("rarely whole"))[NARROW]) < 0.7


def test_quantiles_that_know_nothing_of_few_pictures_would_lie(monkeypatch: pytest.MonkeyPatch):
    assert coverage("few pictures", drawn(made("few pictures"), [2])[2]) >= HONEST
    monkeypatch.setattr(estimating, "stdtrit", lambda _, probability: ndtri(probability))
    assert coverage("few pictures", drawn(made("few pictures"), [2])[2]) < 0.9


def test_intervals_are_narrow_where_a_forecast_says_so():
    assert all(one.high - one.low <= 0.2 * one.value for one in intervals("two kinds")[NARROW])
