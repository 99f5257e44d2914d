"""How all figures look, and how they are written: as PNG and SVG, and beside them what they show as JSON."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from framekeep.errors import UsageError

COLOURS: Final = ("#1a5fb4", "#c64600", "#26a269", "#813d9c", "#63452c", "#5e5c64")
"""One a network, far apart also for who does not see red and green."""
ORIGINAL: Final = "orig."
_DPI: Final = 130


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it shows for JSON."""

    numbers: tuple[str, ...]
    """The paper's, such as ("7", "8")."""
    name: str
    """Of its files, without an ending."""
    caption: str
    figure: Figure
    data: dict[str, Any]

    @cached_property
    def png(self) -> bytes:
        return png(self.figure)


@dataclass(frozen=True, slots=True)
class NotDrawn:
    """A figure of the paper's for which there is nothing here to draw, and why."""

    numbers: tuple[str, ...]
    why: str


def plain(text: str) -> str:
    """Text of unknown origin for matplotlib: no formula, and no character that its font lacks or that SVG forbids."""
    return text.encode("unicode_escape").decode().replace("$", r"\$")


def variants_axis(axes: Axes, qualities: Sequence[int]) -> None:
    """The original and then the QFs, falling, at 0, 1 … n."""
    axes.set_xticks(range(len(qualities) + 1), [ORIGINAL, *map(str, qualities)])
    axes.set_xlabel("QF")


def png(figure: Figure) -> bytes:
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=_DPI, metadata={"Software": None})
    return target.getvalue()


def svg(figure: Figure) -> bytes:
    """The same bytes for the same figure."""
    target = io.BytesIO()
    with rc_context({"svg.hashsalt": "framekeep"}):
        figure.savefig(target, format="svg", dpi=_DPI, metadata={"Date": None})
    return target.getvalue()


def write(drawn: Sequence[Drawn], folder: Path) -> None:
    """Three files a figure. Raises UsageError where they cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in drawn:
            (folder / f"{one.name}.png").write_bytes(one.png)
            (folder / f"{one.name}.svg").write_bytes(svg(one.figure))
            (folder / f"{one.name}.json").write_text(json.dumps(one.data, indent=2) + "\n")
    except OSError as error:
        raise UsageError(f"the figures cannot be written to {folder}: {error.strerror}") from error
