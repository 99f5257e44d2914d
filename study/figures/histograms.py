"""Figures 7 and 8: how often each selector takes each QF, for one network."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from study.figures.drawing import COLOURS, plain, variants_axis
from study.report import NetworkReport


@dataclass(frozen=True)
class Histograms:
    """By selector, how many pictures got the original, and how many each QF."""

    network: str
    pictures: int
    qualities: tuple[int, ...]
    selected: dict[str, Sequence[int]]


def histograms_of(report: NetworkReport) -> Histograms:
    qualities = tuple(rung.quality for rung in report.conditions.ladder.rungs)
    return Histograms(report.conditions.model, report.pictures, qualities, dict(report.histograms))


def draw(histograms: Histograms) -> Figure:
    """HRS as the paper has it, and the keepers beside it."""
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    figure.suptitle(plain(f"{histograms.network}, {histograms.pictures:,} pictures"))
    panels = figure.subplots(2, 2, sharey=True).flat
    for axes, colour, (name, counts) in zip(panels, COLOURS, histograms.selected.items(), strict=False):
        bars = axes.bar(range(len(counts)), [100 * count / histograms.pictures for count in counts], color=colour)
        axes.bar_label(bars, [str(count) for count in counts], fontsize="small")
        variants_axis(axes, histograms.qualities)
        axes.set(title=name.upper(), ylabel="pictures (%)")
        axes.margins(y=0.12)
    return figure
