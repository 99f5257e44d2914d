"""Where a quick search looks."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from daemon.habits import Habits, is_sampled, learned
from framekeep.ladder import parse_ladder
from framekeep.reasons import Reason
from storage.ledger.breakers import Outcome
from storage.records import Place, Settings

SETTINGS = Settings("ttk", 0.0, "90,50,10", 0.01, "4:2:0", True, "a model", "its digest", search="quick")
RULES = SimpleNamespace(settings=SETTINGS, ladder=parse_ladder("90,50,10"))
GATE = Place("/a", "gate/1.jpg")
SAMPLED, OTHER = bytes(32), b"\1" * 32
ENDED = Outcome("/a", "gate", SETTINGS.fingerprint, Reason.QUALIFIED, "q50", 10, 5, datetime.now(UTC), OTHER)
STAYED = replace(ENDED, rung=None, reason=Reason.SQUEEZED, bytes_after=9)
AT_10 = replace(ENDED, rung="q10", bytes_after=1)


@pytest.mark.parametrize(
    ("outcomes", "guesses"),
    [
        ([], None),
        ([ENDED] * 7, None),
        ([ENDED] * 8, (2,)),
        ([ENDED] * 4 + [AT_10] * 4, (3, 2)),
        ([ENDED] * 4 + [STAYED] * 4, (2,)),
        ([STAYED] * 8, ()),
        ([replace(STAYED, reason=Reason.WOULD_NOT_SHRINK)] * 8, ()),
        ([replace(ENDED, rung="objects+q10")] * 8, (3,)),
        ([replace(ENDED, rung=None, reason=Reason.DAMAGED)] * 8, None),
        ([replace(ENDED, camera="yard")] * 8, None),
        ([replace(ENDED, root="/b")] * 8, None),
        ([replace(ENDED, fingerprint="others")] * 8, None),
    ],
)
def test_a_quick_search_looks_where_the_camera_s_pictures_ended(
    outcomes: list[Outcome], guesses: tuple[int, ...] | None
):
    assert Habits.of(outcomes).guesses(GATE, RULES) == guesses


def test_an_exact_search_guesses_nothing():
    exact = replace(SETTINGS, search="exact")
    rules = SimpleNamespace(settings=exact, ladder=RULES.ladder)
    assert Habits.of([replace(ENDED, fingerprint=exact.fingerprint)] * 8).guesses(GATE, rules) is None


def test_what_was_only_guessed_teaches_nothing():
    """Guesses of 50 end at 50 for ever; only a sampled picture may tell that 10 would do."""
    assert is_sampled(SAMPLED)
    assert not is_sampled(OTHER)
    habits = Habits.of([ENDED] * 8)
    for _ in range(100):
        habits.learn(AT_10)
    assert habits.guesses(GATE, RULES) == (2,)
    for _ in range(8):
        habits.learn(replace(AT_10, sha256=SAMPLED))
    assert habits.guesses(GATE, RULES) == (3,)


def test_a_camera_s_habits_change_with_its_newest_pictures():
    habits = Habits.of([replace(AT_10, sha256=SAMPLED)] * 100)
    assert habits.guesses(GATE, RULES) == (3,)
    for _ in range(32):
        habits.learn(replace(ENDED, sha256=SAMPLED))
    assert habits.guesses(GATE, RULES) == (2,)


def test_a_start_that_cannot_see_a_camera_s_first_pictures_learns_from_sampled_ones_alone():
    guessed = [ENDED] * 20
    assert learned(guessed, 21).guesses(GATE, RULES) == (2,)
    assert learned(guessed, 20).guesses(GATE, RULES) is None
    assert learned([*guessed, *[replace(AT_10, sha256=SAMPLED)] * 8], 28).guesses(GATE, RULES) == (3,)
