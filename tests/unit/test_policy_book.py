"""Which policy holds for a path."""

from datetime import UTC

import pytest
from pydantic import ValidationError

from daemon.config.hours import ALL_DAY, WorkingHours
from daemon.config.policy import Policy, PolicyBook
from daemon.config.schema import Config
from daemon.config.values import zone_of
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import parse_ladder

ALWAYS = WorkingHours.parse(ALL_DAY, UTC)


def book(*blocks: dict[str, object], **sections: object) -> PolicyBook:
    return PolicyBook(Config.model_validate({"policy": list(blocks), **sections}))


def test_without_policies_the_selection_and_the_vault_say_it_all():
    rules = book(
        selection={"keeper": "t5k", "min_confidence": 0.2, "ladder": "50", "min_age_days": 3}, vault={"days": 9}
    )
    assert rules.for_path("gate/a.jpg") == Policy("t5k", 0.2, parse_ladder("50"), 0.01, 10, 9, 3, ALWAYS, ObjectRule())


def test_a_block_changes_what_it_names_and_nothing_else():
    rules = book(
        {"match": ["gate/**", "yard/**"], "ladder": [40], "vault_days": 0.5}, selection={"min_confidence": 0.2}
    )
    assert rules.for_path("yard/a.jpg") == Policy(
        "t1k", 0.2, parse_ladder("40"), 0.01, 10, 0.5, 0, ALWAYS, ObjectRule()
    )
    assert rules.for_path("door/a.jpg") == rules.default


def test_a_block_changes_what_it_names_about_objects():
    rules = book(
        {"match": "gate/**", "classes": ["person"], "quality_when_found": 40},
        detection={"slack": 0.2, "lost_only": True},
    )
    assert rules.for_path("yard/a.jpg").objects == ObjectRule(slack=0.2, lost_only=True)
    assert rules.for_path("gate/a.jpg").objects == ObjectRule(
        slack=0.2, lost_only=True, classes=("person",), quality_when_found=40
    )


def test_a_block_changes_the_saving_the_hours_and_what_is_excluded():
    rules = book(
        {"match": "gate/**", "min_saving": 0.2, "hours": "22:00-06:00"},
        {"match": "yard/**", "exclude": True},
        selection={"hours": "12:00-13:00"},
        holds={"timezone": "Europe/Berlin"},
    )
    zone = zone_of("Europe/Berlin")
    gate, yard, door = (rules.for_path(f"{camera}/a.jpg") for camera in ("gate", "yard", "door"))
    assert (gate.min_saving, door.min_saving) == (0.2, 0.01)
    assert (gate.hours, door.hours) == tuple(WorkingHours.parse(text, zone) for text in ("22:00-06:00", "12:00-13:00"))
    assert [policy.exclude for policy in (gate, yard, door)] == [False, True, False]


def test_a_block_that_makes_no_sense_with_the_rest_is_refused():
    with pytest.raises(ValidationError, match=r"slack \(0.3\) should be smaller than min_score \(0.3\)"):
        book({"match": "gate/**", "min_score": 0.3}, detection={"slack": 0.3})


def test_a_block_can_set_a_value_back_to_zero():
    rules = book(
        {"match": "gate/**", "min_confidence": 0, "min_age_days": 0, "vault_days": 0},
        selection={"min_confidence": 0.2, "min_age_days": 3},
    )
    policy = rules.for_path("gate/a.jpg")
    assert (policy.min_confidence, policy.min_age_days, policy.vault_days) == (0, 0, 0)


def test_the_first_match_wins():
    rules = book({"match": "gate/night/**", "vault_days": 1}, {"match": "gate/**", "vault_days": 2})
    assert [rules.for_path(path).vault_days for path in ("gate/night/a.jpg", "gate/day/a.jpg", "a.jpg")] == [1, 2, 7]


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("gate/**", "gate/2024/a.jpg", True),
        ("gate/**", "gates/a.jpg", False),
        ("gate/**", "old/gate/a.jpg", False),
        ("gate/**", "Gate/a.jpg", True),
        ("GATE[A-C]/**", "gateB/a.jpg", True),
        ("#1/**", "#1/a.jpg", True),
        ("gate", "old/gate/a.jpg", True),
        ("/a.jpg", "a.jpg", True),
        ("/a.jpg", "gate/a.jpg", False),
        ("*-ir.jpg", "gate/x-ir.jpg", True),
        ("**", "a.jpg", True),
        ("gate/**", "gate/\udcff.jpg", True),
        ("*/x/**", "gate\n/x/a.jpg", True),
        ("**/x/*.jpg", "gate/new\nline/x/a.jpg", True),
    ],
)
def test_patterns_are_those_of_gitignore_without_regard_to_case(pattern: str, path: str, matches: bool):
    rules = book({"match": pattern, "vault_days": 1})
    assert (rules.for_path(path).vault_days == 1) is matches


def test_what_a_pattern_excludes_falls_to_the_next_block():
    rules = book({"match": ["gate/**", "!gate/x.jpg"], "vault_days": 1}, {"match": "gate/**", "vault_days": 2})
    assert [rules.for_path(path).vault_days for path in ("gate/a.jpg", "gate/x.jpg")] == [1, 2]


def test_which_block_holds_is_told_by_its_index():
    rules = book({"match": "gate/night/**", "vault_days": 1}, {"match": "gate/**", "vault_days": 2})
    assert [rules.index_of(path) for path in ("gate/night/a.jpg", "GATE/a.jpg", "a.jpg")] == [0, 1, None]
