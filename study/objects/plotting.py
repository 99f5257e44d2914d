"""The comparison as a picture: how many times smaller against how many pictures lose an object, a point a rule."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from matplotlib.transforms import Bbox, BboxBase, offset_copy

from framekeep.errors import UsageError
from study.objects.figures import Figures, overall
from study.objects.looking import Compared
from study.objects.rules import Constant, rules_of

Style = Mapping[str, Any]

_KEEPER: Final[Style] = MappingProxyType(
    {"label": "keepers", "color": "#1a6fb5", "marker": "D", "markersize": 6, "linestyle": "none"}
)
_CONSTANT: Final[Style] = MappingProxyType(
    {"label": "the same QF for all", "color": "#6b6f76", "marker": "o", "markersize": 9, "linestyle": ":"}
)
_INK: Final = "#202124"
_TICKS: Final = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 15, 20, 30, 50)
_TRIES: Final = tuple(
    sorted(
        product((10, -10, 50, -50, 100), range(-72, 73, 12)), key=lambda shift: (abs(shift[0]) + abs(shift[1]), shift)
    )
)
"""Where a name may be beside its point, in points across and up: the nearest that is free is taken."""


def plot(compared: Compared, path: Path) -> None:
    """Writes a PNG or an SVG, as the name says. Raises UsageError where it cannot be written."""
    figure = drawn(compared)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def drawn(compared: Compared) -> Figure:
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    axes: Axes = figure.subplots()
    every = overall(compared.cameras)
    constants = [rule.name for rule in rules_of(compared.bounds) if isinstance(rule, Constant)]
    keepers = [name for name in every if name not in constants]
    places = {name: _place(figures) for name, figures in every.items()}
    axes.plot(*zip(*(places[name] for name in constants), strict=True), **_CONSTANT)
    axes.plot(*zip(*(places[name] for name in keepers), strict=True), **_KEEPER)
    axes.set(xlabel=_across(compared, every), ylabel="times smaller (bytes before / after)")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator(_TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.margins(x=0.14, y=0.1)
    axes.grid(color="#e4e6e9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    _label(figure, axes, {name: places[name] for name in (*keepers, *constants)})
    return figure


def _across(compared: Compared, every: dict[str, Figures]) -> str:
    figures, detector = next(iter(every.values())), compared.models.detector.name
    return f"pictures that lose an object for {detector} (% of {figures.pictures:,})"


def _place(figures: Figures) -> tuple[float, float]:
    return 100 * figures.share(figures.lost), figures.ratio


def _label(figure: Figure, axes: Axes, places: dict[str, tuple[float, float]]) -> None:
    """Writes each rule's name beside its point, where it covers neither a point nor another name."""
    figure.draw_without_rendering()  # only now it is known where the points are
    taken = [_around(axes, place) for place in places.values()]
    for name, place in places.items():
        for shift in _TRIES:
            label = _written(axes, name, place, shift)
            box = label.get_window_extent()
            if _within(box, axes.bbox) and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                _connect(axes, place, shift)
                break
            label.remove()


def _around(axes: Axes, place: tuple[float, float]) -> Bbox:
    (x, y), half = axes.transData.transform(place), 5 * axes.figure.dpi / 72
    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _within(inner: Bbox, outer: BboxBase) -> bool:
    return all(outer.contains(*corner) for corner in inner.corners().tolist())


def _written(axes: Axes, name: str, place: tuple[float, float], shift: tuple[int, int]) -> Text:
    beside = offset_copy(axes.transData, axes.get_figure(root=True), *shift, units="points")
    side = "left" if shift[0] > 0 else "right"
    return axes.text(*place, name, transform=beside, ha=side, va="center", color=_INK, fontsize=9, in_layout=False)


def _connect(axes: Axes, place: tuple[float, float], shift: tuple[int, int]) -> None:
    """Draws a thin line from the point to its name."""
    line = {"arrowstyle": "-", "color": "#b4b8bf", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 4}
    axes.annotate("", place, xytext=shift, textcoords="offset points", arrowprops=line, in_layout=False)
