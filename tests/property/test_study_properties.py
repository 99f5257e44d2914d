"""The study's selectors are the heart's, on any evidence; and what the paper proves holds on any table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from framekeep.evidence import Evidence, Prediction
from framekeep.keepers.base import Keeper
from framekeep.keepers.labels import MARGIN, HighestRank
from framekeep.keepers.naming import keeper_of
from framekeep.ladder import Ladder, Rung
from framekeep.search import NEVER, exhaustive, run
from study.claims import BrokenClaimError, check_all, check_kept, check_theorem
from study.observations import TOP, Conditions, Counting, Observations
from study.report import KEEPERS, selections
from study.selecting import at, highest_rank, keeping

NEAR = st.sampled_from([0.0, 0.1, 0.1004, 0.2, 0.3, 0.3004, 0.5])
"""So few different probabilities that ties and near ties are common."""


@st.composite
def observed(draw: st.DrawFn, counting: Counting = "paper") -> tuple[Observations, list[list[Evidence]]]:
    """What a pass keeps of some predictions, and the predictions."""
    classes, pictures, variants = draw(st.integers(2, 8)), draw(st.integers(1, 3)), draw(st.integers(1, 6))
    shape = pictures, variants, classes
    values = np.array(draw(st.lists(NEAR, min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))), np.float32)
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=pictures, max_size=pictures))
    flags = draw(st.lists(st.booleans(), min_size=pictures * variants, max_size=pictures * variants))
    eligible = np.array(flags).reshape(pictures, variants) | (counting == "paper")
    eligible[:, 0] = True
    predictions = [[Prediction(row) for row in rows] for rows in values.reshape(shape)]
    return kept_of(predictions, labels, eligible, counting), [[Evidence(p) for p in rows] for rows in predictions]


def kept_of(
    predictions: list[list[Prediction]], labels: list[int], eligible: NDArray[np.bool_], counting: Counting = "paper"
) -> Observations:
    variants, classes = len(predictions[0]), len(predictions[0][0].probabilities)
    ladder = Ladder("drawn", tuple(Rung(100 - j) for j in range(1, variants)))
    tops = np.array([[p.top(min(TOP, classes)) for p in rows] for rows in predictions])
    pairs = list(zip(predictions, labels, strict=True))
    sizes = np.arange(eligible.size).reshape(eligible.shape) + 1
    return Observations(
        Conditions("drawn", "00", "none", ladder, "none", counting, classes),
        [f"class {k}" for k in range(classes)],
        tuple(f"{k}.jpg" for k in range(len(labels))),
        tuple(bytes([k]) * 32 for k in range(len(labels))),
        np.array(labels, np.int32),
        sizes[:, 0],
        sizes,
        eligible,
        np.array([[p.rank(label) for p in rows] for rows, label in pairs], np.int32),
        np.array([[p.probabilities[label] for p in rows] for rows, label in pairs], np.float32),
        tops[..., 0].astype(np.int32),
        tops[..., 1].astype(np.float32),
    )


def chosen_by_heart(keeper: Keeper, seen: list[Evidence], eligible: NDArray[np.bool_]) -> int:
    def cost(j: int) -> float:
        return keeper.judge(seen[0], seen[j]).cost if eligible[j] else NEVER

    return run(exhaustive(len(seen) - 1, keeper.original_cost(seen[0])), cost)


@given(observed(), st.sampled_from(list(KEEPERS)), st.sampled_from([0.0, 0.1, 0.3]))
def test_keepers_choose_what_the_hearts_choose_to_the_letter(drawn, name: str, min_confidence: float) -> None:
    table, evidence = drawn
    keeper = keeper_of(name, min_confidence, margin=0)
    expected = [chosen_by_heart(keeper, *pair) for pair in zip(evidence, table.eligible, strict=True)]
    assert keeping(table, KEEPERS[name], min_confidence).tolist() == expected


@given(observed("daemon"), st.sampled_from(list(KEEPERS)), st.sampled_from([0.0, 0.1, 0.3]))
def test_keepers_choose_what_the_daemons_choose_where_bytes_count_as_its_own(drawn, name, min_confidence) -> None:
    table, evidence = drawn
    keeper = keeper_of(name, min_confidence, margin=MARGIN)
    expected = [chosen_by_heart(keeper, *pair) for pair in zip(evidence, table.eligible, strict=True)]
    assert keeping(table, KEEPERS[name], min_confidence).tolist() == expected


@given(st.one_of(observed(), observed("daemon")))
def test_hrs_chooses_what_the_hearts_chooses(drawn) -> None:
    table, evidence = drawn
    rows = zip(evidence, table.eligible, table.labels.tolist(), strict=True)
    expected = [chosen_by_heart(HighestRank(label), seen, eligible) for seen, eligible, label in rows]
    assert highest_rank(table).tolist() == expected


@given(observed(), st.data())
def test_theorem_1_no_selector_beats_hrs_at_any_k(drawn, data: st.DataObject) -> None:
    table, _ = drawn
    variants = st.integers(0, table.conditions.variants - 1)
    any_selector = np.array(data.draw(st.lists(variants, min_size=len(table), max_size=len(table))))
    best, other = (at(table.ranks, chosen) for chosen in (highest_rank(table), any_selector))
    for k in range(1, table.conditions.classes + 1):
        assert (best <= k).mean() >= (other <= k).mean()
    check_theorem(table, {"hrs": highest_rank(table), "any": any_selector})


@given(st.one_of(observed(), observed("daemon")))
def test_all_that_is_checked_on_every_run_holds_on_any_evidence(drawn) -> None:
    table, _ = drawn
    check_all(table, selections(table, (0.1, 0.3)))


def one_picture(*rows: list[float], label: int = 0) -> Observations:
    predictions = [[Prediction(np.array(row, np.float32)) for row in rows]]
    return kept_of(predictions, [label], np.ones((1, len(rows)), bool))


def test_a_selector_that_beats_hrs_is_called_a_bug() -> None:
    table = one_picture([0.4, 0.6], [0.9, 0.1])
    with pytest.raises(BrokenClaimError, match=r"bug in framekeep.*better has a higher top-1 accuracy than HRS"):
        check_theorem(table, {"hrs": np.array([0]), "better": np.array([1])})


def test_a_keeper_that_changes_a_hit_is_called_a_bug() -> None:
    table = one_picture([0.4, 0.6], [0.9, 0.1])
    with pytest.raises(BrokenClaimError, match=r"bug in framekeep.*t1k does not keep the top-1 accuracy \(0.jpg\)"):
        check_kept(table, np.array([1]), 1, "t1k")
