"""The search: lazy chooses what exhaustive chooses, for every keeper, on any evidence."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from framekeep.evidence import Evidence, Prediction
from framekeep.keepers.labels import HighestRank
from framekeep.keepers.naming import keeper_of
from framekeep.search import NEVER, exhaustive, lazy, quick, run

costs = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, NEVER]), max_size=12)


@given(st.sampled_from([0.0, 1.0, 2.0]), costs)
def test_lazy_equals_exhaustive_on_any_costs(original, table):
    choices = {run(rule(len(table), original), lambda j: table[j - 1]) for rule in (lazy, exhaustive)}
    assert len(choices) == 1


@given(st.sampled_from([0.0, 1.0, 2.0]), costs)
def test_the_choice_is_the_least_cost_and_the_largest_of_these(original, table):
    every = [original, *table]
    choice = run(lazy(len(table), original), lambda j: table[j - 1])
    assert every[choice] == min(every)
    assert all(cost > every[choice] for cost in every[choice + 1 :])


@given(costs)
def test_lazy_sees_nothing_below_the_first_that_costs_nothing(table):
    seen = []

    def cost(j: int) -> float:
        seen.append(j)
        return table[j - 1]

    choice = run(lazy(len(table), 1.0), cost)
    assert seen == list(range(len(table), len(table) - len(seen), -1))
    if 0.0 in table:
        assert seen[-1] == choice


def falling(most: int):
    """Guesses among so many variants."""
    return st.sets(st.integers(1, most)).map(lambda numbers: sorted(numbers, reverse=True)) if most else st.just([])


@given(st.sampled_from([0.0, 1.0, 2.0]), costs, st.data())
def test_a_quick_choice_is_the_best_that_was_seen_and_costs_no_more_than_the_original(original, table, data):
    guesses = data.draw(falling(len(table)))
    every, seen = [original, *table], [0]

    def cost(j: int) -> float:
        seen.append(j)
        return every[j]

    choice = run(quick(guesses, original), cost)
    assert seen[1:] == guesses[: len(seen) - 1]
    assert every[choice] == min(every[j] for j in seen)
    assert choice == max(j for j in seen if every[j] == every[choice])


@given(costs, st.data())
def test_a_quick_search_ends_at_its_first_guess_that_costs_nothing(table, data):
    guesses = data.draw(falling(len(table)))
    free = [j for j in guesses if table[j - 1] == 0]
    choice = run(quick(guesses, 1.0), lambda j: table[j - 1])
    assert (choice in free) == bool(free)
    assert not free or choice == free[0]


@st.composite
def evidence_tables(draw):
    """Predictions over few classes with few different values, so that ties and near ties are common."""
    classes = draw(st.integers(2, 8))
    value = st.sampled_from([0.0, 0.1, 0.1004, 0.2, 0.3, 0.3004, 0.5])
    row = st.lists(value, min_size=classes, max_size=classes)
    rows = draw(st.lists(row, min_size=1, max_size=11))
    return classes, [Evidence(Prediction(np.array(row, dtype=np.float32))) for row in rows]


keepers = st.builds(
    keeper_of, st.sampled_from(["t1k", "t5k", "ttk"]), st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 1e-3])
)


@given(evidence_tables(), keepers, st.data())
def test_lazy_equals_exhaustive_on_any_evidence(table, keeper, data):
    classes, seen = table
    keeper = data.draw(st.one_of(st.just(keeper), st.builds(HighestRank, st.integers(0, classes - 1))))

    def cost(j: int) -> float:
        return keeper.judge(seen[0], seen[j]).cost

    original = keeper.original_cost(seen[0])
    assert run(lazy(len(seen) - 1, original), cost) == run(exhaustive(len(seen) - 1, original), cost)


@given(evidence_tables(), st.sampled_from(["t1k", "t5k", "ttk"]), st.sampled_from([0.0, 0.1, 0.3]))
def test_a_picture_qualifies_against_itself_to_the_letter(table, name, theta):
    for evidence in table[1]:
        assert keeper_of(name, theta, margin=0.0).judge(evidence, evidence).qualifies


@given(evidence_tables(), st.sampled_from(["t1k", "t5k", "ttk"]), st.sampled_from([0.0, 0.1, 0.3]))
def test_a_margin_only_ever_refuses_more(table, name, theta):
    original, *variants = table[1]
    for variant in variants:
        if keeper_of(name, theta).judge(original, variant).qualifies:
            assert keeper_of(name, theta, margin=0.0).judge(original, variant).qualifies


@given(evidence_tables(), st.integers(1, 8))
def test_theorem_1_no_selector_beats_hrs_at_any_rank(table, rank):
    seen = table[1]
    label = 0
    hrs = HighestRank(label)
    choice = run(exhaustive(len(seen) - 1, hrs.original_cost(seen[0])), lambda j: hrs.judge(seen[0], seen[j]).cost)
    ranks = [evidence.prediction.rank(label) for evidence in seen]
    assert ranks[choice] == min(ranks)
    assert (ranks[choice] <= rank) >= any(other <= rank for other in ranks)
