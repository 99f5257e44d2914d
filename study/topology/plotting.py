"""The curve as a picture."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from study.topology.recipe import Epoch


def plot_curve(curve: Sequence[Epoch], path: Path) -> None:
    """Loss and accuracy by epoch, PNG; nothing where there is no matplotlib to do it with."""
    if find_spec("matplotlib") is None:
        return
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to import

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    numbers = [epoch.number for epoch in curve]
    losses.plot(numbers[1:], [epoch.loss for epoch in curve[1:]], label="training")
    losses.plot(numbers, [epoch.validation_loss for epoch in curve], label="validation")
    accuracies.plot(numbers, [100 * epoch.top1 for epoch in curve], label="top-1")
    accuracies.plot(numbers, [100 * epoch.top5 for epoch in curve], label="top-5")
    for axes, what in ((losses, "loss"), (accuracies, "validation accuracy (%)")):
        for before, after in pairwise(curve):
            if before.stage != after.stage:
                axes.axvline(before.number + 0.5, color="grey", linestyle=":")
        axes.set(xlabel="epoch", ylabel=what)
        axes.legend()
    figure.savefig(path, dpi=150)
