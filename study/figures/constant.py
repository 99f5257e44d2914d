"""Figure 3: top-1 and top-5 accuracy where all pictures have the same QF."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from study.figures.drawing import COLOURS, plain, variants_axis
from study.measuring import LEVEL, Estimate
from study.report import NetworkReport


@dataclass(frozen=True)
class Curve:
    """Of one network: accuracies (fractions of one) with the originals, and then with each QF."""

    network: str
    qualities: tuple[int, ...]
    top1: tuple[Estimate, ...]
    top5: tuple[Estimate, ...]


def curve_of(report: NetworkReport) -> Curve:
    measures = [report.selectors["default"], *report.constants.values()]
    top1, top5 = tuple(one.top1 for one in measures), tuple(one.top5 for one in measures)
    return Curve(report.conditions.model, tuple(report.constants), top1, top5)


def draw(curves: Sequence[Curve]) -> Figure:
    """One panel for top-1 and one for top-5, with the intervals as bands."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, name in zip(panels, ("top1", "top5"), strict=True):
        for k, curve in enumerate(curves):
            estimates: tuple[Estimate, ...] = getattr(curve, name)
            places, colour = range(len(estimates)), COLOURS[k % len(COLOURS)]
            axes.fill_between(
                places, [100 * e.low for e in estimates], [100 * e.high for e in estimates], color=colour, alpha=0.12
            )
            axes.plot(places, [100 * e.value for e in estimates], "o-", color=colour, label=plain(curve.network))
        variants_axis(axes, curves[0].qualities)
        axes.set_ylabel(f"Top {name[-1]} accuracy (%)")
        axes.grid(visible=True, alpha=0.3)
        axes.legend(loc="lower left", title=f"bands: {LEVEL:.0%} intervals", title_fontsize="small")
    return figure
