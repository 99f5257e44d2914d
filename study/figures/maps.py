"""Figures 6, 9 and 11: feature maps of the original and of the lowest QF, by how much the background was wiped out.

The paper tells it in words: the background has lost its energy, the foreground has kept it. Here it is measured. The
energy of a part of a map is the sum of the squared differences from the map's own median, so that an even background
has none. What is wiped out is the share of the background's energy that the variant has lost. Foreground is where the
network's class activation map of the ground truth is above its mean; background is the rest.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from study.figures.layers import Maps

_SILENT: Final = 1e-3
"""A map with less than this share of the mean energy is silent: it has nothing to lose."""
_PAIRS: Final = 4
"""In a row."""
_TITLE: Final = 0.35
"""Inches above each map."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Shares of one map's energy that the variant has lost, in background and foreground; below 0: gained."""

    map: int
    background: float
    foreground: float


def losses(maps: Maps) -> list[Loss]:
    """Of each map that shows anything, the one whose background was wiped out most first."""
    before, after = _energies(maps.original), _energies(maps.variant)
    background, foreground = (_lost(before, after, part).tolist() for part in (~maps.foreground, maps.foreground))
    whole = before.sum(axis=(1, 2))
    shows = np.flatnonzero((whole > 0) & (whole >= _SILENT * whole.mean())).tolist()
    return sorted((Loss(k, background[k], foreground[k]) for k in shows), key=lambda loss: -loss.background)


def document(maps: Maps) -> dict[str, Any]:
    """For JSON: all maps of the layer that show anything."""
    found = losses(maps)
    return {
        "layer": maps.layer,
        "maps": len(maps.original),
        "silent": len(maps.original) - len(found),
        "foreground_share": float(maps.foreground.mean()),
        "median_background_lost": _median([loss.background for loss in found]),
        "median_foreground_lost": _median([loss.foreground for loss in found]),
        "background_loses_more": sum(loss.background > loss.foreground for loss in found),
        "losses": [asdict(loss) for loss in found],
    }


def draw(maps: Maps, shown: Sequence[Loss], variant: str) -> Figure:
    """Pairs of original and variant, both on one scale; a line encloses the foreground."""
    columns = max(1, min(_PAIRS, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    side = 3.0 if len(shown) == 1 else 1.6
    figure = Figure(figsize=(2 * side * columns, (side + _TITLE) * rows))
    room = 1 - _TITLE / figure.get_figheight()  # constrained layout takes seconds for so many axes
    figure.subplots_adjust(left=0, right=1, bottom=0, top=room, wspace=0.04, hspace=_TITLE / side)
    grid = figure.subplots(rows, 2 * columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for place, loss in enumerate(shown):
        row, column = divmod(place, columns)
        _pair(grid[row, 2 * column : 2 * column + 2].tolist(), maps, loss, variant)
    return figure


def _pair(panels: Sequence[Axes], maps: Maps, loss: Loss, variant: str) -> None:
    both = maps.original[loss.map], maps.variant[loss.map]
    low, high = min(one.min() for one in both), max(one.max() for one in both)
    titles = f"map {loss.map}, original", f"{variant}: {-100 * loss.background:+.1f}%"
    part = maps.foreground
    for axes, one, title in zip(panels, both, titles, strict=True):
        axes.imshow(one, cmap="viridis", vmin=low, vmax=high, interpolation="none")
        if part.any() and not part.all():
            axes.contour(part, levels=[0.5], colors="white", linewidths=0.7)
        axes.set_title(title, fontsize="small")


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0


def _energies(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = maps.astype(np.float64)
    energies: NDArray[np.float64] = (wide - np.median(wide, axis=(1, 2), keepdims=True)) ** 2
    return energies


def _lost(before: NDArray[np.float64], after: NDArray[np.float64], part: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share of the energy in a part of each map, shape (maps,); 0 where there was none."""
    had, has = before[:, part].sum(axis=1), after[:, part].sum(axis=1)
    left: NDArray[np.float64] = np.divide(has, had, out=np.ones_like(had), where=had > 0)
    return 1 - left
