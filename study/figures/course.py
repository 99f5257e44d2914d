"""Figure 4: rank and probability of the ground truth against QF, for one picture; and how to find such pictures.

The paper shows two: #651, where compression brings the ground truth to the top, and #37, where it brings it into the
top five.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from study.figures.drawing import COLOURS, plain, variants_axis
from study.observations import Observations

TOP_OF_651: Final = 1
TOP_OF_37: Final = 5


@dataclass(frozen=True)
class Course:
    """One picture, first as the original and then at each QF. Ranks run from 1."""

    picture: str
    ground_truth: str
    qualities: tuple[int, ...]
    ranks: tuple[int, ...]
    probabilities: tuple[float, ...]
    likeliest: tuple[str, ...]

    def told(self, j: int) -> str:
        """What the network makes of variant j, in a few words."""
        return f"rank {self.ranks[j]}, {100 * self.probabilities[j]:.0f}%"


def course_of(seen: Observations, k: int) -> Course:
    """Of the k-th picture."""
    return Course(
        seen.paths[k],
        seen.class_names[int(seen.labels[k])],
        tuple(rung.quality for rung in seen.ladder.rungs),
        tuple(seen.ranks[k].tolist()),
        tuple(seen.truth[k].tolist()),
        tuple(seen.class_names[label] for label in seen.top[k, :, 0].tolist()),
    )


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


def draw(course: Course) -> Figure:
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    figure.suptitle(plain(f'{course.picture}, ground truth "{course.ground_truth}"'))
    ranks, probabilities = figure.subplots(1, 2)
    places = range(len(course.ranks))
    ranks.plot(places, course.ranks, "o-", color=COLOURS[0])
    ranks.set_ylabel("rank of the ground truth (1 is best)")
    ranks.yaxis.set_major_locator(MaxNLocator(integer=True))
    ranks.set_ylim(max(course.ranks) + 0.5, 0.5)
    probabilities.plot(places, [100 * one for one in course.probabilities], "o-", color=COLOURS[1])
    probabilities.set_ylabel("probability of the ground truth (%)")
    probabilities.set_ylim(bottom=0)
    for axes in (ranks, probabilities):
        variants_axis(axes, course.qualities)
        axes.grid(visible=True, alpha=0.3)
    return figure
