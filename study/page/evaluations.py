"""What `framekeep study evaluate --json` printed, read again for the page."""

import json
from pathlib import Path

from framekeep.errors import UsageError
from study.measuring import Estimate, Resampling
from study.topology.recipe import Recipe
from study.topology.results import Evaluation, Row
from study.topology.runs import Run

_ESTIMATES = ("top1", "top5", "gain1", "gain5")


def read_evaluation(path: Path) -> Evaluation:
    """Raises UsageError for a file that holds something else."""
    try:
        told = json.loads(path.read_text())
        run = Run(**{"weights": None, **told["run"], "recipe": Recipe(**told["run"]["recipe"])})
        rows = [Row(**row | {name: Estimate(**row[name]) for name in _ESTIMATES}) for row in told["rows"]]
        resampling = Resampling(told["bootstrap"]["seed"], told["bootstrap"]["resamples"])
        made = Evaluation(run, told["pictures"], told["unreadable"], told["trained_on"], resampling, rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} holds nothing that framekeep study evaluate --json printed: {error}") from error
    if not made.rows:
        raise UsageError(f"{path} holds an evaluation without rows")
    return made
