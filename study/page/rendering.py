"""One HTML page that stands alone: pictures are in it, it runs no script and asks the network for nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from study.measuring import LEVEL
from study.networks import PAPER
from study.page.sections import Section
from study.report import Absent, NetworkReport
from study.tables.document import Facts

_TEMPLATE: Final = "page.html.j2"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that HTML forbids, but a file's name may hold."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A line of the table of networks."""

    name: str
    paper: str
    state: str


def render(made: Sequence[Section], reports: Sequence[NetworkReport | Absent], facts: Facts) -> str:
    """The whole page; text of unknown origin is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_without_controls,
    )
    environment.filters["anchor"] = lambda name: name.lower().replace(" ", "-")
    shared = {
        "pictures": f"{len(facts.seen):,}",
        "layout": facts.data.layout,
        "resamples": facts.resampling.resamples,
        "seed": facts.resampling.seed,
    }
    return environment.get_template(_TEMPLATE).render(
        sections=made, networks=_networks(reports), conditions=_conditions(facts), facts=shared, level=f"{LEVEL:.0%}"
    )


def _without_controls(value: Any) -> Any:  # noqa: ANN401 - whatever a template shows
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value) if isinstance(value, str) else value


def _networks(reports: Sequence[NetworkReport | Absent]) -> list[_Named]:
    """Those that were asked for, and those of the paper's that were not."""
    found = [_named(one) for one in reports]
    asked = {one.name.partition(".")[0] for one in found}
    others = [(name, paper) for name, paper in PAPER.items() if name.partition(".")[0] not in asked]
    return found + [_Named(name, paper, f"not measured: give --model {name}") for name, paper in others]


def _named(one: NetworkReport | Absent) -> _Named:
    if isinstance(one, Absent):
        return _Named(one.name, _in_paper(one.name), f"not measured: weights not present ({one.why})")
    name, millions = one.conditions.model, one.parameters / 1e6
    state = f"measured on {one.device}: {millions:.1f} M parameters, weights {one.conditions.digest}"
    return _Named(name, _in_paper(name), state)


def _in_paper(name: str) -> str:
    architecture = name.partition(".")[0]
    return next((paper for known, paper in PAPER.items() if known.partition(".")[0] == architecture), "")


def _conditions(facts: Facts) -> list[tuple[str, str]]:
    told = facts.seen.conditions.document()
    ladder = ", ".join(map(str, told["ladder"]))
    left_out = f"{len(facts.data.unlabelled)} without a label, {len(facts.left_out)} that could not be read"
    return [
        ("QFs", ladder),
        ("encoder", told["encoder"]),
        ("bytes count as", "the paper has them" if told["counting"] == "paper" else "the daemon writes them"),
        ("left out", left_out),
        ("Figures 4 to 6, 9 to 11", f"as {facts.seen.conditions.model} sees them"),
    ]
