"""What holds of the keeper of objects for any detections."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from framekeep.evidence import Detections, Evidence
from framekeep.keepers.excerpts import evidence_of
from framekeep.keepers.objects import ObjectKeeper, ObjectRule

SCORES = st.integers(200, 1000).map(lambda mille: mille / 1000)
SIDES = st.integers(1, 60)


@st.composite
def objects(draw: st.DrawFn) -> list[tuple[str, float, tuple[int, int, int, int]]]:
    def one() -> tuple[str, float, tuple[int, int, int, int]]:
        left, top = draw(st.integers(0, 60)), draw(st.integers(0, 60))
        box = (left, top, left + draw(SIDES), top + draw(SIDES))
        return draw(st.sampled_from(("person", "car"))), draw(SCORES), box

    return [one() for _ in range(draw(st.integers(0, 6)))]


def evidence(found: list[tuple[str, float, tuple[int, int, int, int]]]) -> Evidence:
    return Evidence(
        detections=Detections(
            tuple(label for label, _, _ in found),
            np.array([score for _, score, _ in found], dtype=np.float32),
            np.array([box for _, _, box in found], dtype=np.float32).reshape(-1, 4),
        )
    )


@given(objects(), st.floats(0.01, 0.25), st.floats(0.1, 0.9), st.booleans())
def test_a_picture_qualifies_against_itself(found: list, slack: float, iou: float, lost_only: bool):
    same = evidence(found)
    rule = ObjectRule(slack=slack, iou=iou, lost_only=lost_only)
    assert ObjectKeeper(rule).judge(same, same).qualifies


@given(objects())
def test_to_the_letter_it_does_so_without_any_slack(found: list):
    same = evidence(found)
    assert ObjectKeeper(ObjectRule(slack=0.0, iou=1.0), margin=0.0).judge(same, same).qualifies


@given(objects(), objects(), st.floats(0, 0.25), st.floats(0, 0.2), st.booleans())
def test_more_slack_never_disqualifies(before: list, after: list, slack: float, more: float, lost_only: bool):
    """So on any ladder the choice with more slack is never a larger file."""
    strict, lenient = (ObjectKeeper(ObjectRule(slack=s, lost_only=lost_only)) for s in (slack, slack + more))
    if strict.judge(evidence(before), evidence(after)).qualifies:
        assert lenient.judge(evidence(before), evidence(after)).qualifies


@given(objects(), objects(), st.randoms(use_true_random=False))
def test_the_order_of_boxes_does_not_matter(before: list, after: list, chance):
    shuffled = chance.sample(before, len(before)), chance.sample(after, len(after))
    keeper = ObjectKeeper()
    first, second = (keeper.judge(evidence(one), evidence(other)) for one, other in ((before, after), shuffled))
    assert first.qualifies == second.qualifies


@given(objects(), objects())
def test_what_qualifies_with_a_margin_does_so_without(before: list, after: list):
    if ObjectKeeper().judge(evidence(before), evidence(after)).qualifies:
        assert ObjectKeeper(margin=0.0).judge(evidence(before), evidence(after)).qualifies


@given(objects(), objects())
def test_an_excerpt_is_enough_to_judge_again(before: list, after: list):
    """What qualified with the margin does so without it when the original is known from a record alone."""
    if ObjectKeeper().judge(evidence(before), evidence(after)).qualifies:
        kept = json.loads(json.dumps(ObjectKeeper().excerpt(evidence(before), ())))
        assert ObjectKeeper(margin=0.0).judge(evidence_of(kept, ()), evidence(after)).qualifies


@given(objects(), objects())
def test_losses_and_news_are_each_others_mirror(before: list, after: list):
    keeper = ObjectKeeper()
    one, other = evidence(before).detections, evidence(after).detections
    forth, back = keeper.compare(one, other), keeper.compare(other, one)
    assert len(forth.lost) == len(back.new)
    assert len(forth.new) == len(back.lost)
