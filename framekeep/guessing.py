"""Where a quick search should look, by how searches of pictures much like this one ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Ending:
    """The number of the variant that a search chose (0: the original), and the share of its bytes that was left."""

    j: int
    share: float


def best_guesses(endings: Sequence[Ending], most: int) -> tuple[int, ...]:
    """At most so many falling numbers, of those that `endings` hold, with which the fewest bytes are to be expected.

    A picture that ended at some variant is taken to qualify at each larger one, too. Of equal sets the least is best.
    """
    shares, reached = _shares(endings), _reached(endings)
    stays = shares.get(0, 1.0)

    def expected(guesses: tuple[int, ...]) -> float:
        """The sum of the shares: each picture ends at the first guess that it reaches, else at the original."""
        left, before = 0.0, 0
        for j in guesses:
            left += shares[j] * (reached[j] - before)
            before = reached[j]
        return left + stays * (len(endings) - before)

    return min(_choices(sorted(reached, reverse=True), most), key=expected)


def _choices(numbers: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    for count in range(most + 1):
        yield from combinations(numbers, count)


def _shares(endings: Sequence[Ending]) -> dict[int, float]:
    """By number, the mean."""
    by_number: dict[int, list[float]] = {}
    for ending in endings:
        by_number.setdefault(ending.j, []).append(ending.share)
    return {j: sum(shares) / len(shares) for j, shares in by_number.items()}


def _reached(endings: Sequence[Ending]) -> dict[int, int]:
    """By the numbers of variants: how many pictures ended there or at a smaller file."""
    return {j: sum(ending.j >= j for ending in endings) for j in {ending.j for ending in endings} - {0}}
