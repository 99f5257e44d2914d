"""What an evaluation comes to: estimates for each row, as tables for people and as one JSON object."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.measuring import LEVEL, Estimate, Resampling, estimated, resampled
from study.tables.sheets import INTERVAL, Sheet
from study.topology.evaluating import DEFAULT, Contender, Ranks
from study.topology.figures import TABLE_5, TABLES, Printed, PrintedTable
from study.topology.module import parameter_count
from study.topology.runs import Run

_FIVE = 5


@dataclass(frozen=True)
class Row:
    """One contender, measured: accuracies and gains are fractions of one."""

    name: str
    stage: int | None
    top1: Estimate
    top5: Estimate
    gain1: Estimate
    """Against the network alone, on the same pictures."""
    gain5: Estimate
    trained: int
    """Parameters that were trained."""
    parameters: int
    """All of them."""


@dataclass(frozen=True)
class Evaluation:
    """A run, evaluated on pictures that it was not trained with."""

    run: Run
    pictures: int
    unreadable: int
    trained_on: int
    """Pictures that were left out because the run was trained with them."""
    resampling: Resampling
    rows: Sequence[Row]


def measured(rows: Sequence[Contender], ranks: Ranks, resampling: Resampling) -> list[Row]:
    """Estimates with percentile intervals, from one resampling of the pictures."""
    hits = np.stack([ranks.by_name[row.name] <= top for row in rows for top in (1, _FIVE)], axis=1).astype(np.float64)
    sums = np.concatenate([hits.sum(axis=0, keepdims=True), resampled(hits, resampling)]) / ranks.pictures
    by_row = sums.reshape(len(sums), len(rows), 2)
    return [_row(row, by_row[:, k], by_row[:, 0]) for k, row in enumerate(rows)]


def _row(row: Contender, means: NDArray[np.float64], alone: NDArray[np.float64]) -> Row:
    top1, top5 = (estimated(column) for column in means.T)
    gain1, gain5 = (estimated(column) for column in (means - alone).T)
    return Row(row.name, row.stage, top1, top5, gain1, gain5, row.trained, _parameters(row))


def _parameters(row: Contender) -> int:
    """Of the network alone, also where its logits are averaged; else with n+1 times the weights of a last layer."""
    trunk = parameter_count(row.topology.trunk)
    if row.stage is None:
        return trunk + (row.head.features + 1) * row.head.out_features
    return trunk + parameter_count(row.head)


def sheets(made: Evaluation) -> list[Sheet]:
    """Table 3 or 4, whichever is the network's, and Table 5."""
    return [_by_block(made), _among_others(made)]


def document(made: Evaluation) -> dict[str, Any]:
    """For JSON; no path of the machine."""
    run = {name: value for name, value in asdict(made.run).items() if name != "weights"}
    printed = _printed(made.run)
    return {
        "run": run,
        "pictures": made.pictures,
        "unreadable": made.unreadable,
        "trained_on": made.trained_on,
        "bootstrap": {**asdict(made.resampling), "level": LEVEL, "method": "percentile"},
        "rows": [asdict(row) for row in made.rows],
        "paper": asdict(printed) if printed else None,
        "table_5": [asdict(line) for line in TABLE_5],
    }


def _by_block(made: Evaluation) -> Sheet:
    headers = ("trained", "top-1", INTERVAL, "gain", "top-5", INTERVAL, "gain", "paper: trained", "top-1", "top-5")
    printed = _printed(made.run)
    lines = [
        (
            row.name,
            f"{row.top1.value:.1%}",
            _interval(row.top1),
            _gain(row.gain1),
            f"{row.top5.value:.1%}",
            _interval(row.top5),
            _gain(row.gain5),
            *_beside(printed, row),
        )
        for row in made.rows
    ]
    number = str(printed.number) if printed else "3, 4"
    title = f"the topology over {made.run.model} by trained block, {made.pictures:,} pictures"
    return Sheet(number, title, headers, tuple(lines))


def _among_others(made: Evaluation) -> Sheet:
    headers = ("model", "from", "top-1", "top-5", "parameters", "trained")
    lines = [
        (_full_name(row, made.run), "measured here", _percent(row.top1), _percent(row.top5), *_counts(row))
        for row in made.rows
    ]
    for line in TABLE_5:
        source = f"cited [{line.source}]" if line.source else "the paper"
        lines.append((line.model, source, line.top1, line.top5, line.parameters, ""))
    return Sheet("5", "accuracy and number of parameters", headers, tuple(lines), words=2)


def _counts(row: Row) -> tuple[str, str]:
    return f"{row.parameters / 1e6:.1f}M", f"{row.trained / 1e6:.1f}M" if row.trained else ""


def _full_name(row: Row, run: Run) -> str:
    return run.model if row.name == DEFAULT else f"{run.model}, {row.name}"


def _beside(printed: PrintedTable | None, row: Row) -> tuple[str, str, str]:
    line = _line(printed, row) if printed else None
    return (line.trained, line.top1, line.top5) if line else ("", "", "")


def _line(printed: PrintedTable, row: Row) -> Printed | None:
    if row.stage is None:
        return printed.lines[0] if row.name == DEFAULT else None
    return printed.lines[row.stage + 1] if row.stage + 1 < len(printed.lines) else None


def _printed(run: Run) -> PrintedTable | None:
    return TABLES.get(run.model.partition(".")[0])


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:.1%}"


def _interval(estimate: Estimate) -> str:
    return f"{100 * estimate.low:.1f}-{100 * estimate.high:.1f}"


def _gain(estimate: Estimate) -> str:
    """In percentage points, with its interval."""
    value, low, high = (100 * figure for figure in (estimate.value, estimate.low, estimate.high))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
