"""T1K, T5K, TTK, HRS, the reject option and what is too close to call."""

import numpy as np
import pytest

from framekeep.evidence import Evidence, Prediction
from framekeep.keepers.base import All, Need
from framekeep.keepers.labels import MARGIN, HighestRank, LabelKeeper, recognise
from framekeep.keepers.naming import canonical, keeper_of


def sees(*probabilities: float) -> Evidence:
    return Evidence(Prediction(np.array(probabilities, dtype=np.float32)))


T1K = keeper_of("t1k")


def test_t1k_keeps_the_first_label():
    assert T1K.judge(sees(0.6, 0.3, 0.1), sees(0.5, 0.1, 0.4)).qualifies
    assert T1K.judge(sees(0.6, 0.3, 0.1), sees(0.3, 0.6, 0.1)).why == "top-1 differs"


def test_t5k_keeps_the_set_of_five_whatever_their_order():
    t5k = keeper_of("t5k")
    original = sees(0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05)
    assert t5k.judge(original, sees(0.1, 0.12, 0.15, 0.2, 0.3, 0.08, 0.05)).qualifies
    assert t5k.judge(original, sees(0.3, 0.2, 0.15, 0.12, 0.08, 0.1, 0.05)).why == "top-5 differs"


def test_ttk_keeps_both():
    ttk = keeper_of("ttk")
    original = sees(0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05)
    assert ttk.judge(original, sees(0.31, 0.19, 0.15, 0.12, 0.1, 0.08, 0.05)).qualifies
    assert ttk.judge(original, sees(0.2, 0.3, 0.15, 0.12, 0.1, 0.08, 0.05)).why == "top-1 differs"
    assert ttk.judge(original, sees(0.3, 0.2, 0.15, 0.12, 0.08, 0.1, 0.05)).why == "top-5 differs"


def test_hrs_costs_the_known_labels_rank_minus_one():
    hrs = HighestRank(2)
    assert hrs.original_cost(sees(0.6, 0.3, 0.1)) == 2
    assert hrs.judge(sees(0.6, 0.3, 0.1), sees(0.2, 0.5, 0.3)).cost == 1
    assert hrs.judge(sees(0.6, 0.3, 0.1), sees(0.2, 0.1, 0.7)).qualifies


class TestMinConfidence:
    theta = keeper_of("t1k", 0.3)

    def test_below_it_nothing_is_recognised_and_labels_may_change(self):
        assert self.theta.judge(sees(0.2, 0.1, 0.05), sees(0.05, 0.1, 0.2)).qualifies

    def test_a_label_must_not_come_or_go(self):
        assert not self.theta.judge(sees(0.4, 0.1), sees(0.2, 0.1)).qualifies
        assert not self.theta.judge(sees(0.2, 0.1), sees(0.4, 0.1)).qualifies

    def test_t5k_compares_only_the_labels_that_reach_it(self):
        t5k = keeper_of("t5k", 0.15)
        original = sees(0.4, 0.2, 0.1, 0.09, 0.08, 0.07)
        assert t5k.judge(original, sees(0.2, 0.4, 0.07, 0.08, 0.09, 0.1)).qualifies
        assert not t5k.judge(original, sees(0.4, 0.1, 0.2, 0.09, 0.08, 0.07)).qualifies


class TestTooCloseToCall:
    def test_labels_whose_logits_are_nearer_than_the_margin(self):
        near = sees(0.5, 0.5 * (1 - MARGIN / 2))
        apart = sees(0.5, 0.5 * (1 - MARGIN * 2))
        assert T1K.judge(apart, apart).qualifies
        assert T1K.judge(near, apart).why == "top-1 too close to call"
        assert T1K.judge(apart, near).why == "top-1 too close to call"

    def test_small_probabilities_are_compared_by_ratio(self):
        t5k = keeper_of("t5k")
        tail = sees(0.99, 0.002, 0.001, 0.0009, 0.0008, 0.0007)
        assert t5k.judge(tail, tail).qualifies

    def test_a_label_nearer_to_min_confidence_than_the_margin(self):
        theta = keeper_of("t1k", 0.3)
        for p in (0.3002, 0.2998):
            assert not theta.judge(sees(p, 0.1), sees(p, 0.1)).qualifies
        for p in (0.3005, 0.2995):
            assert theta.judge(sees(p, 0.1), sees(p, 0.1)).qualifies

    def test_labels_that_do_not_count_may_be_close(self):
        theta = keeper_of("t1k", 0.3)
        assert theta.judge(sees(0.2, 0.2), sees(0.2, 0.2)).qualifies

    def test_the_paper_to_the_letter_calls_every_tie(self):
        assert keeper_of("t1k", margin=0.0).judge(sees(0.5, 0.5), sees(0.5, 0.5)).qualifies


def test_recognition_of_fewer_classes_than_labels():
    recognition = recognise(Prediction(np.array([0.5, 0.3, 0.2], dtype=np.float32)), 5, 0.0)
    assert recognition.labels == {0, 1, 2}
    assert recognition.margin == np.inf


def test_equal_probabilities_are_ordered_by_class():
    prediction = Prediction(np.array([0.2, 0.4, 0.4], dtype=np.float32))
    assert [label for label, _ in prediction.top(3)] == [1, 2, 0]
    assert prediction.rank(2) == 2


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("t1k", ("t1k",)),
        ("ttk", ("t1k", "t5k")),
        ("t5k, T1K", ("t1k", "t5k")),
        (["t5k", "ttk"], ("t1k", "t5k")),
    ],
)
def test_names_have_one_form(given, names):
    assert canonical(given) == names


def test_hrs_stands_alone():
    assert canonical("hrs") == ("hrs",)
    assert keeper_of("hrs").needs == {Need.PREDICTION}
    with pytest.raises(ValueError, match="hrs stands alone"):
        canonical("t1k,hrs")


@pytest.mark.parametrize("given", ["", "t2k", "t1k,,t5k", []])
def test_unknown_names_are_refused_with_the_known_ones(given):
    with pytest.raises(ValueError, match="known are t1k, t5k, ttk"):
        canonical(given)


def test_composition_names_its_parts():
    assert keeper_of("ttk").name == "t1k,t5k"
    assert isinstance(keeper_of("ttk"), All)
    assert isinstance(keeper_of("t1k"), LabelKeeper)


def test_a_label_keeper_without_a_prediction_is_a_bug():
    with pytest.raises(ValueError, match="prediction"):
        T1K.judge(Evidence(), Evidence())
