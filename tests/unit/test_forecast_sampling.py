"""Which pictures a forecast draws, and what a sample says of them."""

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.forecasting import sampling
from daemon.forecasting.judging import Tried
from daemon.forecasting.options import Option
from daemon.forecasting.outlook import outlooks, recommendation
from daemon.forecasting.recommending import Advice, recommend
from daemon.forecasting.sample import Sample
from daemon.forecasting.sampling import LEAST, Archive, in_order
from framekeep.reasons import Reason

T1K = Option("t1k", 0.0)
pictures = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 10**9), st.floats(0.01, 1), st.booleans()), min_size=1, max_size=40
)


def archive_of(sizes: dict[str, list[int]], seed: int = 0) -> Archive:
    archive = Archive(Random(seed))  # noqa: S311 - a sample, no secret
    for camera, ones in sizes.items():
        for k, size in enumerate(ones):
            archive.add(camera, 0, str(k), size)
    return archive


def tried(left: float, seconds: float = 1.0, *, recognised: bool = False) -> Tried:
    return Tried((left,), (seconds,), (recognised,))


def test_a_picture_is_drawn_first_in_proportion_to_its_bytes():
    first = Counter(archive_of({"gate": [100, 300, 600]}, seed).strata()[0].turns[0].bytes for seed in range(4000))
    assert {size: count / 4000 for size, count in first.items()} == pytest.approx(
        {100: 0.1, 300: 0.3, 600: 0.6}, abs=0.03
    )


def test_an_archive_of_any_size_is_remembered_in_little_room(monkeypatch: pytest.MonkeyPatch):
    sizes = {"gate": list(range(1, 400)), "yard": list(range(1, 400))}
    (whole, *_) = archive_of(sizes).strata()
    monkeypatch.setattr(sampling, "_ROOM", 100)
    (some, *_) = archive_of(sizes).strata()
    assert 20 < len(some.turns) <= 100
    assert some.turns == whole.turns[: len(some.turns)]
    assert some.following(len(some.turns)) == whole.turns[len(some.turns)].time
    assert (some.pictures, some.bytes) == (whole.pictures, whole.bytes)


def test_cameras_that_are_small_are_drawn_from_together():
    archive = archive_of({"gate": [1000] * 100} | {f"small {k}": [k + 1] for k in range(30)})
    gate, small = archive.strata()
    assert (gate.pictures, small.pictures) == (100, 30)
    assert small.bytes == sum(range(1, 31))


def test_an_empty_file_is_counted_and_never_drawn():
    archive = archive_of({"gate": [0, 0, 5]})
    assert (archive.pictures, archive.bytes) == (3, 5)
    assert [turn.bytes for stratum in archive.strata() for turn in stratum.turns] == [5]
    assert archive_of({"gate": [0]}).strata() == []


def test_each_stratum_has_a_few_turns_first_then_they_go_by_bytes():
    strata = archive_of({"gate": [1000] * 300, "yard": [500] * 60, "roof": [20_000] * 2}).strata()
    order = list(in_order(strata))
    assert len(order) == 362
    gate, yard = (next(k for k, one in enumerate(strata) if one.pictures == count) for count in (300, 60))
    first = Counter(order[: 2 * LEAST + 2])
    assert first == {gate: LEAST, yard: LEAST, next(k for k in range(3) if k not in (gate, yard)): 2}
    assert Counter(order[:110])[gate] == pytest.approx(10 * Counter(order[:110])[yard], rel=0.15)


@given(pictures)
def test_what_was_looked_at_completely_is_certain(ones):
    archive = Archive(Random(1))  # noqa: S311 - a sample, no secret
    for k, (camera, size, _, _) in enumerate(ones):
        archive.add(camera, 0, str(k), size)
    sample = Sample(archive.strata(), 1)
    for k in in_order(sample.strata):
        _, _, left, recognised = ones[int(sample.next_turn(k).path)]
        sample.add(k, tried(left, left, recognised=recognised))
    (ratio,) = sample.ratios(0.95)
    truth = sum(size for _, size, _, _ in ones) / sum(size * left for _, size, left, _ in ones)
    assert (ratio.low, ratio.value, ratio.high) == pytest.approx((truth, truth, truth), rel=1e-6)
    assert sample.recognised() == pytest.approx(np.mean([recognised for *_, recognised in ones]))
    assert sample.seconds() == pytest.approx(sum(left for _, _, left, _ in ones))


@given(pictures, st.data())
def test_an_interval_holds_its_figure_whatever_was_drawn(ones, data):
    archive = Archive(Random(data.draw(st.integers(0, 1000))))  # noqa: S311 - a sample, no secret
    for k, (camera, size, _, _) in enumerate(ones):
        archive.add(camera, 0, str(k), size)
    sample = Sample(archive.strata(), 1)
    for k, _ in zip(in_order(sample.strata), range(data.draw(st.integers(1, len(ones)))), strict=False):
        sample.add(k, tried(ones[int(sample.next_turn(k).path)][2]))
    (ratio,) = sample.ratios(0.95)
    assert 1 <= ratio.low <= ratio.value * (1 + 1e-9)
    assert ratio.value <= ratio.high * (1 + 1e-9)
    (outlook,) = outlooks([T1K], sample, 0.95)
    assert 0 <= outlook.saved.low <= outlook.saved.high <= archive.bytes


def test_of_one_picture_among_many_nothing_is_concluded():
    sample = Sample(archive_of({"gate": [10] * 50, "yard": [10] * 50}).strata(), 1)
    sample.add(0, tried(0.1))
    (ratio,) = sample.ratios(0.95)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((10, 1, math.inf))
    assert recommendation(outlooks([T1K], sample, 0.95), sample) is None


def test_where_no_model_sees_anything_nothing_is_recognised():
    sample = Sample(archive_of({"gate": [10]}).strata(), 1)
    sample.add(0, Tried.unchanged(1, Reason.NOT_JPEG))
    assert sample.recognised() == [0]


def test_nothing_is_told_of_no_picture():
    sample = Sample(archive_of({"gate": [10] * 50}).strata(), 1)
    assert outlooks([T1K], sample, 0.95) == []
    assert sample.kept == {}


def test_what_stays_as_it_is_counts_with_all_of_its_bytes():
    sample = Sample(archive_of({"gate": [10, 10]}).strata(), 1)
    sample.add(0, tried(0.1, recognised=True))
    assert sample.recognised() == [1]
    sample.add(0, Tried.unchanged(1, Reason.DAMAGED))
    assert sample.recognised() == [1]  # of those that a model sees
    assert sample.ratios(0.95)[0].value == pytest.approx(20 / 11)
    assert sample.kept == {Reason.DAMAGED: 1}


@pytest.mark.parametrize(
    ("labels", "objects", "advice"),
    [
        (0.09, 0.6, Advice.OBJECTS),
        (0.09, 0.0, Advice.NEITHER),
        (0.09, None, Advice.DETECTOR),
        (0.8, 0.6, Advice.BOTH),
        (0.8, 0.0, Advice.LABELS),
        (0.8, None, Advice.LABELS),
    ],
)
def test_it_recommends_what_is_recognised(labels: float, objects: float | None, advice: Advice):
    recommendation = recommend(labels, objects)
    assert recommendation.advice is advice
    assert f"your classifier recognises something in {labels:.0%}" in recommendation.sentence
