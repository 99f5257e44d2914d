"""The keeper of objects: what is found again, what is new, what is too close to call."""

import numpy as np
import pytest

from framekeep.evidence import Detections, Evidence
from framekeep.keepers.base import Need
from framekeep.keepers.naming import canonical, compares_labels, compares_objects, keeper_of
from framekeep.keepers.objects import ObjectKeeper, ObjectRule, intersections_over_unions

HERE = (10, 10, 50, 90)
NEARBY = (14, 12, 54, 92)
"""IoU 0.78 with HERE."""
BESIDE = (50, 10, 90, 90)
"""Touches HERE."""
ELSEWHERE = (200, 10, 240, 90)


def sees(*objects: tuple[str, float, tuple[int, int, int, int]]) -> Evidence:
    labels = tuple(label for label, _, _ in objects)
    scores = np.array([score for _, score, _ in objects], dtype=np.float32)
    boxes = np.array([box for _, _, box in objects], dtype=np.float32).reshape(-1, 4)
    return Evidence(detections=Detections(labels, scores, boxes))


def why(original: Evidence, variant: Evidence, **rule: object) -> str:
    verdict = ObjectKeeper(ObjectRule(**rule)).judge(original, variant)  # type: ignore[arg-type]  # a test's own words
    assert verdict.qualifies == (verdict.why == "")
    return verdict.why


NOTHING = sees()
PERSON = sees(("person", 0.9, HERE))


def test_the_same_object_is_found_again():
    assert why(PERSON, sees(("person", 0.45, NEARBY))) == ""


@pytest.mark.parametrize(
    "variant",
    [NOTHING, sees(("person", 0.35, HERE)), sees(("car", 0.9, HERE)), sees(("person", 0.45, BESIDE))],
    ids=["gone", "below the slack", "another class", "touching only"],
)
def test_a_lost_object_disqualifies(variant: Evidence):
    assert why(PERSON, variant).startswith("lost 1 person")


def test_a_new_object_disqualifies_unless_only_losses_count():
    variant = sees(("person", 0.9, HERE), ("car", 0.6, ELSEWHERE))
    assert why(PERSON, variant) == "new 1 car"
    assert why(PERSON, variant, lost_only=True) == ""


def test_what_the_original_had_within_the_slack_is_not_new():
    assert why(sees(("car", 0.45, HERE)), sees(("car", 0.6, HERE))) == ""


def test_a_picture_without_objects_may_become_any_without():
    assert why(NOTHING, NOTHING) == ""
    assert why(NOTHING, sees(("person", 0.3, HERE))) == ""
    assert why(NOTHING, PERSON) == "new 1 person"


def test_in_a_crowd_each_needs_one_of_its_own():
    two = sees(("person", 0.9, HERE), ("person", 0.8, NEARBY))
    assert why(two, PERSON) == "lost 1 person"
    assert why(two, two) == ""


def test_partners_are_given_so_that_most_find_one():
    """The first of the original fits both of the variant, the second only one: taking the best first would fail."""
    middle, left, right = (100, 0, 200, 100), (70, 0, 170, 100), (120, 0, 220, 100)
    original = sees(("person", 0.9, middle), ("person", 0.8, (50, 0, 150, 100)))
    variant = sees(("person", 0.9, left), ("person", 0.8, right))
    assert why(original, variant) == ""


def test_only_the_classes_that_matter_count():
    original = sees(("person", 0.9, HERE), ("dog", 0.9, ELSEWHERE))
    assert why(original, PERSON, classes=("person", "car")) == ""
    assert why(original, PERSON) == "lost 1 dog"


def test_what_is_too_close_to_call_counts_against_the_variant():
    assert why(sees(("person", 0.4995, HERE)), NOTHING) == "lost 1 person"
    assert why(PERSON, sees(("person", 0.4005, HERE))) == "lost 1 person"
    assert why(PERSON, sees(("person", 0.402, HERE))) == ""
    half = sees(("person", 0.9, (10, 10, 50, 50)))
    assert why(PERSON, half) == "lost 1 person, new 1 person"
    to_the_letter = ObjectKeeper(margin=0.0)
    assert to_the_letter.judge(PERSON, half).qualifies


def test_a_picture_with_objects_may_have_a_least_quality():
    keeper = ObjectKeeper(ObjectRule(quality_when_found=40))
    assert keeper.lowest_quality(PERSON) == 40
    assert keeper.lowest_quality(NOTHING) == 0
    assert keeper.lowest_quality(sees(("person", 0.45, HERE))) == 0


def test_iou_of_boxes_with_and_without_area():
    boxes = np.array([HERE, BESIDE, (5, 5, 5, 9), HERE], dtype=np.float32)
    expected = [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]]
    assert intersections_over_unions(boxes, boxes).tolist() == expected


def test_its_name_composes():
    assert canonical(["objects", "t1k"]) == ("t1k", "objects")
    both = keeper_of("t1k,objects", objects=ObjectRule(quality_when_found=30))
    assert both.name == "t1k,objects"
    assert both.needs == {Need.PREDICTION, Need.DETECTIONS}
    assert keeper_of("objects").needs == {Need.DETECTIONS}
    assert compares_objects("t1k,objects")
    assert compares_labels("t1k,objects")
    assert not compares_objects("t1k,t5k")
    assert not compares_labels("objects")


def test_without_a_detector_it_says_what_it_needs():
    with pytest.raises(ValueError, match="needs a detector"):
        ObjectKeeper().judge(Evidence(), NOTHING)
