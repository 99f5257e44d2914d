"""Pictures like the paper's two: compression brings the ground truth of #651 to the top, of #37 to the top five."""

from typing import Final

import numpy as np

from study.figures.course import course_of
from study.observations import Observations
from study.tables.sheets import Sheet

TOP_OF_651: Final = 1
TOP_OF_37: Final = 5
_LISTED: Final = 10


def like(seen: Observations, top: int) -> list[int]:
    """Pictures whose ground truth the lowest QF brings among the `top` likeliest, where the original's is not.

    Those whose rank improves most stand first; of equals, those whose probability rises most. As for #37, what the
    lowest QF brings to the very top is for TOP_OF_651 alone.
    """
    before, after = seen.ranks[:, 0], seen.ranks[:, -1]
    best = 1 if top == TOP_OF_651 else TOP_OF_651 + 1
    found = np.flatnonzero((before > top) & (best <= after) & (after <= top))
    rise = seen.truth[:, -1] - seen.truth[:, 0]
    order = np.lexsort((-rise[found], (after - before)[found]))
    return [int(k) for k in found[order]]


def found_sheets(seen: Observations) -> list[Sheet]:
    """The best of each kind."""
    return [_sheet(seen, "#651", TOP_OF_651), _sheet(seen, "#37", TOP_OF_37)]


def _sheet(seen: Observations, name: str, top: int) -> Sheet:
    found = like(seen, top)
    lowest = f"QF {seen.ladder.rungs[-1].quality}"
    headers = ("picture", "ground truth", "rank, original", f"rank, {lowest}", "original", lowest)
    courses = [course_of(seen, k) for k in found[:_LISTED]]
    rows = tuple(
        (
            one.picture,
            one.ground_truth,
            *(str(one.ranks[j]) for j in (0, -1)),
            *(f"{one.probabilities[j]:.1%}" for j in (0, -1)),
        )
        for one in courses
    )
    return Sheet("", f"Like {name}: {len(found):,} pictures", headers, rows, words=2)
