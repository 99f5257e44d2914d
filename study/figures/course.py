"""Figure 4: rank and probability of the ground truth against QF, for one picture."""

from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from study.figures.drawing import COLOURS, plain, variants_axis
from study.observations import Observations


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
