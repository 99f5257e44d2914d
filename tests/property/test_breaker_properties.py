"""The breaker's pure core: it sleeps through what is ordinary, and wakes soon after a jump."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.breaker import BLOCK, FEWEST, KNOWN_FOR_LOOKS, Breaker, features
from framekeep.reasons import Reason, Standing
from storage.ledger.breakers import Opening, Outcome

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KNOWN = BLOCK * KNOWN_FOR_LOOKS + BLOCK
"""Decisions after which rungs and savings are judged, too."""


def outcome(reason: Reason = Reason.QUALIFIED, rung: str | None = "q10", after: int = 100, **place: str) -> Outcome:
    known = {"root": "/srv", "camera": "gate", "fingerprint": "t1k"} | place
    size = after if reason.standing is Standing.REPLACED else 1000
    return Outcome(**known, reason=reason, rung=rung, bytes_before=1000, bytes_after=size, at=NOON)


GOOD = outcome()
FAILED = outcome(Reason.ERROR, None)
BROKEN = outcome(Reason.TRUNCATED, None)
COARSE = outcome(rung="q90", after=800)
REASONS = (GOOD, FAILED, BROKEN, COARSE, outcome(Reason.WOULD_NOT_SHRINK, None), outcome(Reason.SQUEEZED, None, 900))


def first_opening(breaker: Breaker, outcomes: list[Outcome]) -> int | None:
    """After how many decisions it opened."""
    return next((count for count, one in enumerate(outcomes, 1) if breaker.observe(one)), None)


def taught(*outcomes: Outcome) -> Breaker:
    breaker = Breaker(1.0)
    for one in outcomes:
        breaker.learn(one)
    return breaker


def test_it_opens_falsely_for_less_than_one_stationary_camera_in_a_hundred():
    """50 cameras of 1,500 pictures, each with its own fixed shares of outcomes."""
    rng = np.random.default_rng(7)
    false_alarms = 0
    for _ in range(50):
        shares = rng.dirichlet([0.5] * len(REASONS))
        drawn = rng.choice(len(REASONS), 1500, p=shares)
        false_alarms += first_opening(Breaker(1.0), [REASONS[index] for index in drawn]) is not None
    assert false_alarms == 0


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([FAILED, BROKEN]), st.integers(BLOCK + FEWEST, 400), st.floats(0.6, 1), st.integers(0, 2**32 - 1)
)
def test_it_opens_within_a_block_of_failures_or_unreadable_pictures(bad: Outcome, known: int, share: float, seed: int):
    breaker = taught(*[GOOD] * known)
    rng = np.random.default_rng(seed)
    stream = [bad if draw < share else GOOD for draw in rng.random(BLOCK)]
    count = first_opening(breaker, stream)
    assert count is not None
    assert count > BLOCK * 0.3
    assert breaker.opening_for("/srv", "gate") is not None


@settings(max_examples=20, deadline=None)
@given(st.integers(KNOWN, 2 * KNOWN), st.booleans())
def test_it_opens_within_a_block_of_another_rung(known: int, worse: bool):
    before, after = (GOOD, COARSE) if worse else (COARSE, GOOD)
    breaker = taught(*[before] * known)
    assert first_opening(breaker, [after] * BLOCK) is not None


@given(st.lists(st.sampled_from(REASONS), max_size=FEWEST + BLOCK - 1))
def test_it_says_nothing_before_it_knows_enough(outcomes: list[Outcome]):
    assert first_opening(Breaker(1.0), outcomes) is None


@pytest.mark.parametrize("day", [0, 1, 2])
def test_a_night_is_no_jump_where_a_night_is_known(day: int):
    """Days and nights of 400 pictures with different rungs, with the beginning of the series at any time of day."""
    series = ([GOOD] * 400 + [COARSE] * 400) * 6
    start = 150 * day
    breaker = taught(*series[start : start + 1600])
    assert first_opening(breaker, series[start + 1600 :]) is None


def test_each_camera_and_each_setting_is_known_apart():
    breaker = taught(*[GOOD] * KNOWN)
    others = [outcome(rung="q90", after=800, camera="yard"), outcome(rung="q90", after=800, fingerprint="t5k")]
    assert first_opening(breaker, others * BLOCK) is None


def test_an_opening_names_the_cause_and_covers_its_camera_alone():
    breaker = taught(*[GOOD] * 300)
    first_opening(breaker, [FAILED] * BLOCK)
    (opening,) = breaker.openings
    assert (opening.root, opening.camera) == ("/srv", "gate")
    assert opening.cause == "failures: 31% in the last 100 pictures, 0% before"
    assert breaker.opening_for("/srv", "yard") is None
    assert breaker.opening_for("/other", "gate") is None


def test_it_opens_once_until_it_is_resumed_and_then_learns_anew():
    breaker = taught(*[GOOD] * 300)
    openings = [opening for _ in range(300) if (opening := breaker.observe(FAILED))]
    assert len(openings) == 1
    breaker.forget(openings[0])
    assert breaker.openings == []
    assert first_opening(breaker, [FAILED] * 500) is None
    assert first_opening(breaker, [outcome(Reason.DAMAGED)] * BLOCK) is not None


def test_what_an_earlier_process_opened_stays_open():
    breaker = Breaker(1.0, [Opening("/srv", None, "cause", NOON)])
    assert breaker.opening_for("/srv", "gate") is not None
    assert breaker.opening_for("/other", "gate") is None


def test_too_much_of_a_root_in_a_day_opens_it_for_every_camera():
    breaker = Breaker(0.2)
    breaker.learn_root("/srv", known=100_000, day=NOON.date(), replaced=15_000)
    assert first_opening(breaker, [outcome(camera=f"camera {k}") for k in range(20)]) == 7
    assert breaker.opening_for("/srv", "any") is not None


def test_the_next_day_counts_from_nothing():
    breaker = Breaker(0.2)
    yesterday = NOON.date() - timedelta(days=1)
    breaker.learn_root("/srv", known=100_000, day=yesterday, replaced=19_900)
    assert first_opening(breaker, [GOOD] * 20) is None


def test_a_share_of_one_never_opens_on_a_first_sweep():
    assert first_opening(Breaker(1.0), [GOOD] * 1000) is None


@given(st.sampled_from(Reason))
def test_features_are_shares_and_what_is_for_later_says_nothing(reason: Reason):
    found = features(outcome(reason, None))
    if reason.standing is Standing.LATER:
        assert found is None
    assert all(0 <= value <= 1 for value in (found or {}).values())


def test_fewer_unreadable_pictures_are_good_news():
    breaker = Breaker(1.0)
    bad, good = (outcome(reason) for reason in (Reason.DAMAGED, Reason.WOULD_NOT_SHRINK))
    assert [breaker.observe(one) for one in [bad] * 300 + [good] * 300] == [None] * 600
