"""Whether what the paper claims holds here, in a sentence.

A figure that must be above something holds if its whole interval is and the paper's figure is not above that interval.
It holds in part if it points the way the paper says, but is smaller or may be chance. A loss that must be no more than
the paper's holds in part if it is more, but its interval is not.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from study.figures.course import Course
from study.measuring import LEVEL, Estimate
from study.observations import Observations
from study.published import HRS_AVERAGE, HRS_GAIN
from study.report import NetworkReport
from study.topology.results import Evaluation

Standing = Literal["holds", "holds in part", "does not hold", "not measured"]

_FROM_BEST: Final[tuple[Standing, ...]] = ("holds", "holds in part", "does not hold", "not measured")
_T1K_LOSS, _T5K_LOSS = 1.5, 1.26
"""Percentage points, as section 5 has them: the most that T1K costs of top-5, and T5K of top-1."""
_TOPOLOGY_1, _TOPOLOGY_5 = 0.4, 0.2
"""Percentage points that the topology adds at least, in its section 4.3."""
_AS_MANY: Final = 1.05
_RATIOS: Final = {"t1k": 8.8, "t5k": 3.3, "ttk": 3.1}
"""The paper's averages over its two networks."""


@dataclass(frozen=True, slots=True)
class Verdict:
    standing: Standing
    sentence: str


def not_measured(why: str) -> Verdict:
    return Verdict("not measured", f"{why[0].upper()}{why[1:]}.")


def of_all(reports: Sequence[NetworkReport], judge: Callable[[NetworkReport], Verdict]) -> Verdict:
    """What holds for every network: the worst of the verdicts, and the sentences of all."""
    found = [judge(report) for report in reports]
    sentences = [f"{report.conditions.model}: {one.sentence}" for report, one in zip(reports, found, strict=True)]
    return Verdict(worst(one.standing for one in found), " ".join(sentences))


def worst(standings: Iterable[Standing]) -> Standing:
    return max(standings, key=_FROM_BEST.index)


def standing_of(found: Estimate, paper: float, above: float) -> Standing:
    """Of something that must be above a bound, and that the paper has at `paper`."""
    if found.value <= above:
        return "does not hold"
    return "holds" if found.low > above and found.high >= paper else "holds in part"


def topology(evaluation: Evaluation) -> Verdict:
    """Tables 3 and 4, from the last stage of a run."""
    row, run = evaluation.rows[-1], evaluation.run
    pairs = ((row.gain1, _TOPOLOGY_1), (row.gain5, _TOPOLOGY_5))
    return Verdict(
        worst(standing_of(gain, paper / 100, 0) for gain, paper in pairs),
        f"{run.model}, {row.name} from {run.recipe.init} weights: against the network alone, top-1 changes by "
        f"{_points(row.gain1, _TOPOLOGY_1)}, top-5 by {_points(row.gain5, _TOPOLOGY_5)}.",
    )


def parameters(evaluation: Evaluation) -> Verdict:
    """Table 5: the parameters to be trained are essentially as many as the network alone has."""
    alone, last, run = evaluation.rows[0].parameters, evaluation.rows[-1].parameters, evaluation.run
    return Verdict(
        "holds" if last <= _AS_MANY * alone else "does not hold",
        f"{run.model}: {alone / 1e6:.1f} M parameters alone, {last / 1e6:.1f} M with the topology's last layer.",
    )


def theorem(report: NetworkReport) -> Verdict:
    """`check_all` has raised where it does not hold."""
    count = len(report.selectors) - 1 + len(report.constants) + sum(map(len, report.confident.values()))
    return Verdict("holds", f"at no k has one of {count} other selectors a higher top-k accuracy than HRS.")


def hrs_accuracy(report: NetworkReport) -> Verdict:
    gains = report.hrs_gains
    pairs = (("top-1", gains.top1, HRS_GAIN.top1), ("top-5", gains.top5, HRS_GAIN.top5))
    told = [f"{name} by {_points(gain, paper)}" for name, gain, paper in pairs]
    standing = worst(standing_of(gain, paper / 100, 0) for _, gain, paper in pairs)
    return Verdict(standing, f"HRS raises {' and '.join(told)}.")


def hrs_size(report: NetworkReport) -> Verdict:
    found, paper = report.selectors["hrs"].cr, HRS_AVERAGE.ratio
    return Verdict(standing_of(found, paper, 1), f"the CR of HRS is {_ratio(found, paper)}.")


def keepers_accuracy(report: NetworkReport) -> Verdict:
    """What they keep they keep exactly, or `check_all` has raised; what they cost is resampled in pairs."""
    of_t1k, of_t5k = report.keeper_gains["t1k"].top5, report.keeper_gains["t5k"].top1
    return Verdict(
        worst((_bounded(of_t1k, _T1K_LOSS), _bounded(of_t5k, _T5K_LOSS))),
        "T1K keeps top-1 and T5K top-5 exactly, picture by picture; "
        f"T1K costs {_loss(of_t1k, 'top-5', _T1K_LOSS)}, T5K {_loss(of_t5k, 'top-1', _T5K_LOSS)}.",
    )


def keepers_sizes(report: NetworkReport) -> Verdict:
    found = [(name, report.selectors[name].cr, paper) for name, paper in _RATIOS.items()]
    told = [f"{name.upper()} {_ratio(cr, paper)}" for name, cr, paper in found]
    return Verdict(worst(standing_of(cr, paper, 1) for _, cr, paper in found), f"the CRs are {', '.join(told)}.")


def constant_quality(report: NetworkReport) -> Verdict:
    """Figure 3: accuracy falls with the QF."""
    (quality, last), default = list(report.constants.items())[-1], report.selectors["default"]
    pairs = [("top-1", default.top1, last.top1), ("top-5", default.top5, last.top5)]
    told = [f"{name} from {before.value:.1%} to {after.value:.1%}" for name, before, after in pairs]
    return Verdict(
        worst(_fallen(before, after) for _, before, after in pairs),
        f"from the originals to QF {quality} for all, {' and '.join(told)}.",
    )


def one_picture(seen: Observations) -> Verdict:
    """Figure 4: for one picture a lower QF may give a better rank and a higher probability."""
    ranks, truth = seen.ranks, seen.truth
    better = ranks[:, 1:] < ranks[:, :1]
    count = int(better.any(axis=1).sum())
    both = int((better & (truth[:, 1:] > truth[:, :1])).any(axis=1).sum())
    lowest = int((better[:, -1]).sum())
    quality = seen.ladder.rungs[-1].quality
    return Verdict(
        "holds" if both else "does not hold",
        f"Of {len(seen):,} pictures, {count:,} ({count / len(seen):.1%}) have a variant with a better rank of the "
        f"ground truth than the original's, {both:,} of them with a higher probability too; at QF {quality} {lowest:,} "
        "have a better rank.",
    )


def example(name: str, course: Course) -> Verdict:
    """Figures 5 and 10: the lowest QF brings a better rank and a higher probability."""
    rises = course.ranks[-1] < course.ranks[0], course.probabilities[-1] > course.probabilities[0]
    standing: Standing = "holds" if all(rises) else "holds in part" if any(rises) else "does not hold"
    return Verdict(
        standing,
        f'{course.picture} stands for {name}: the ground truth "{course.ground_truth}" has {course.told(0)} with the '
        f"original, {course.told(-1)} at QF {course.qualities[-1]}.",
    )


def feature_maps(data: dict[str, float]) -> Verdict:
    """Figures 6, 9 and 11, from what `study.figures.maps.document` says.

    It holds where backgrounds lose energy, and more often more than foregrounds than a coin would have it (two standard
    deviations).
    """
    count, more = int(data["maps"] - data["silent"]), int(data["background_loses_more"])
    background, foreground = data["median_background_lost"], data["median_foreground_lost"]
    is_most, is_clear = more > count / 2, more > count / 2 + math.sqrt(count)
    standing: Standing = "does not hold"
    if background > 0 or is_most:
        standing = "holds" if background > 0 and is_clear else "holds in part"
    return Verdict(
        standing,
        f"In {more} of {count} maps of layer {data['layer']} that show anything the background loses more of its "
        f"energy than the foreground; at the median the background's energy changes by {-background:+.1%}, the "
        f"foreground's by {-foreground:+.1%}.",
    )


def selected_qualities(report: NetworkReport) -> Verdict:
    """Figures 7 and 8: a lower QF is selected more often, the lowest most often."""
    counts = np.array(report.histograms["hrs"])
    last = report.conditions.ladder.rungs[-1].quality
    is_most, rises = bool(counts[-1] == counts.max()), np.diff(counts[1:]) >= 0
    standing: Standing = "does not hold" if not is_most else "holds" if rises.all() else "holds in part"
    return Verdict(
        standing,
        f"HRS selects QF {last} for {counts[-1] / counts.sum():.1%} of the pictures, "
        f"{'which is most often' if is_most else 'which is not most often'}; from one QF to the next lower one the "
        f"count falls at {int((~rises).sum())} of {len(rises)} steps.",
    )


def _bounded(gain: Estimate, most: float) -> Standing:
    """Of a loss that should be no more than so many points: in part where only chance may have made it more."""
    if -100 * gain.value <= most:
        return "holds"
    return "holds in part" if -100 * gain.high <= most else "does not hold"


def _loss(gain: Estimate, top: str, most: float) -> str:
    value, low, high = (0 - 100 * one for one in (gain.value, gain.high, gain.low))
    where = "below" if most < low else "above" if most > high else "in"
    interval = f"{LEVEL:.0%} CI {low:.1f} to {high:.1f}"
    return f"{value:.1f} points of {top} ({interval}; paper: up to {most}, {where} that interval)"


def _fallen(before: Estimate, after: Estimate) -> Standing:
    if after.value >= before.value:
        return "does not hold"
    return "holds" if after.high < before.low else "holds in part"


def _points(estimate: Estimate, paper: float) -> str:
    value, low, high = (100 * one for one in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} points ({LEVEL:.0%} CI {low:.1f} to {high:.1f}; paper: {paper:g})"


def _ratio(estimate: Estimate, paper: float) -> str:
    return f"{estimate.value:.2f} ({LEVEL:.0%} CI {estimate.low:.2f} to {estimate.high:.2f}; paper: {paper:g})"
