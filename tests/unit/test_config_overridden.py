"""What a command line asks for is checked like the file, and wins over policies."""

from typing import Any

import pytest

from daemon.config.policy import PolicyBook
from daemon.config.schema import Config
from framekeep.errors import UsageError

POLICIES = [
    {"match": "gate/**", "keeper": "t5k", "vault_days": 1},
    {"match": "yard/**", "ladder": "80,20", "min_confidence": 0.5},
    {"match": "**", "vault_days": 2},
]
CONFIG = Config.model_validate({"policy": POLICIES, "selection": {"min_saving": 0.2}})


def test_nothing_asked_changes_nothing():
    assert CONFIG.overridden() == CONFIG


def test_what_is_asked_holds_for_every_path():
    book = PolicyBook(CONFIG.overridden(keeper="ttk", ladder="50", min_confidence=0.3))
    for path in ("gate/a.jpg", "yard/a.jpg", "else/a.jpg"):
        policy = book.for_path(path)
        assert (policy.keeper, policy.ladder.name, policy.min_confidence) == ("t1k,t5k", "50", 0.3)


def test_a_block_matches_as_before_even_where_it_overrides_nothing_else():
    book = PolicyBook(CONFIG.overridden(ladder="50", min_confidence=0.0))
    assert book.for_path("yard/a.jpg").vault_days == CONFIG.vault.days


def test_everything_else_stays():
    asked = CONFIG.overridden(ladder="50")
    book = PolicyBook(asked)
    assert asked.selection.min_saving == 0.2
    assert (book.for_path("gate/a.jpg").keeper, book.for_path("gate/a.jpg").vault_days) == ("t5k", 1)
    assert book.for_path("yard/a.jpg").min_confidence == 0.5


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"keeper": "t1k,hrs"}, 'keeper = "t1k,hrs": hrs stands alone'),
        ({"ladder": "steep"}, "ladder = \"steep\": 'steep' is neither"),
        ({"min_confidence": 1.0}, "min_confidence = 1.0: should be less than 1"),
        ({"min_confidence": float("nan")}, "min_confidence = NaN: should be a finite number"),
    ],
)
def test_nonsense_is_a_usage_error(asked: dict[str, Any], fault: str):
    with pytest.raises(UsageError, match="what was asked for cannot be used: 1 error") as caught:
        CONFIG.overridden(**asked)
    assert fault in str(caught.value)
