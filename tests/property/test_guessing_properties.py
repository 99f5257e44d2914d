"""Guesses: no other ones of the numbers that are known promise fewer bytes."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from framekeep.guessing import Ending, best_guesses
from framekeep.search import quick, run

# Of each number's pictures the same share is left, as the mean over many would be.
shares = st.fixed_dictionaries({j: st.floats(0.05, 1.0) for j in range(9)})
numbers = st.lists(st.integers(0, 8), min_size=1, max_size=20)


def left(ends: list[int], guesses: tuple[int, ...], share: dict[int, float]) -> float:
    """What is left of pictures that qualify at every variant up to where they ended."""
    choices = [run(quick(guesses, 0.0), lambda j, end=end: float(j > end)) for end in ends]
    return sum(share[choice] if choice or 0 in ends else 1.0 for choice in choices)


@given(numbers, shares, st.integers(0, 3))
def test_the_best_guesses_leave_the_fewest_bytes(ends, share, most):
    found = best_guesses([Ending(end, share[end]) for end in ends], most)
    assert len(found) <= most
    assert sorted(found, reverse=True) == list(found)
    known = sorted(set(ends) - {0}, reverse=True)
    others = [left(ends, chosen, share) for count in range(most + 1) for chosen in combinations(known, count)]
    assert left(ends, found, share) <= min(others) + 1e-9


@given(st.integers(1, 8), st.integers(1, 20))
def test_pictures_that_end_alike_need_one_guess(end, count):
    assert best_guesses([Ending(end, 0.5)] * count, 3) == (end,)


@given(st.integers(1, 20), st.integers(0, 3))
def test_where_originals_stay_nothing_is_looked_at(count, most):
    assert best_guesses([Ending(0, 1.0)] * count, most) == ()
