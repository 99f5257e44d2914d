"""Where a quick search begins."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from daemon.habits import Habits
from framekeep.ladder import parse_ladder
from framekeep.reasons import Reason
from storage.ledger.breakers import Outcome
from storage.records import Place, Settings

SETTINGS = Settings("ttk", 0.0, "90,50,10", 0.01, "4:2:0", True, "a model", "its digest", search="quick")
RULES = SimpleNamespace(settings=SETTINGS, ladder=parse_ladder("90,50,10"))
GATE = Place("/a", "gate/1.jpg")
ENDED = Outcome("/a", "gate", SETTINGS.fingerprint, Reason.QUALIFIED, "q50", 9, 5, datetime.now(UTC))


@pytest.mark.parametrize(
    ("outcomes", "start"),
    [
        ([], None),
        ([ENDED], 2),
        ([ENDED, replace(ENDED, rung="q10")], 3),
        ([ENDED, replace(ENDED, rung=None, reason=Reason.SQUEEZED)], 1),
        ([ENDED, replace(ENDED, rung=None, reason=Reason.WOULD_NOT_SHRINK)], 1),
        ([ENDED, replace(ENDED, rung=None, reason=Reason.DAMAGED)], 2),
        ([replace(ENDED, camera="yard")], None),
        ([replace(ENDED, root="/b")], None),
        ([replace(ENDED, fingerprint="others")], None),
    ],
)
def test_a_search_begins_where_the_camera_s_last_one_ended(outcomes: list[Outcome], start: int | None):
    assert Habits.of(outcomes).start(GATE, RULES) == start


def test_an_exact_search_begins_nowhere_else():
    exact = replace(SETTINGS, search="exact")
    rules = SimpleNamespace(settings=exact, ladder=RULES.ladder)
    assert Habits.of([replace(ENDED, fingerprint=exact.fingerprint)]).start(GATE, rules) is None
