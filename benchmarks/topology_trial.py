"""What training the parallel topology does with few pictures: each way to start, on several splits of the same set.

usage: python -m benchmarks.topology_trial WORK DIR...    WORK keeps the features and the runs; DIR: labelled pictures
Writes study/results/topology-trial.json. The network alone and the mean of its logits are the curves' first lines: with
the inits "original" and "mean" nothing has been trained yet there.
"""

import csv
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cli.main import run

RESULT: Final = Path(__file__).parents[1] / "study/results/topology-trial.json"
INITS: Final = ("random", "original", "mean")
SEEDS: Final = (0, 1, 2)
HELD_OUT: Final = 250
OPTIONS: Final = ("--blocks", "0", "--hold-out", str(HELD_OUT), "--patience", "20")
"""So few pictures make so few steps an epoch that a plateau would tell nothing: all 20 epochs are trained."""

Line = dict[str, float | None]


def main(work: Path, folders: Sequence[str]) -> None:
    curves = {init: [_curve(work, folders, init, seed) for seed in SEEDS] for init in INITS}
    summary = {
        "network alone": _summary([curve[0] for curve in curves["original"]]),
        "mean of logits": _summary([curve[0] for curve in curves["mean"]]),
        **{f"trained from {init}": _summary([curve[-1] for curve in found]) for init, found in curves.items()},
    }
    RESULT.write_text(json.dumps({**_conditions(work), "summary": summary, "curves": curves}, indent=1) + "\n")
    print(json.dumps(summary, indent=1))


def _curve(work: Path, folders: Sequence[str], init: str, seed: int) -> list[Line]:
    place = _place(work, init, seed)
    asked = ("--init", init, "--seed", str(seed), "--out", str(place), "--features", str(work / "features"))
    if run(["study", "train", *folders, *asked, *OPTIONS]) != 0:
        sys.exit(1)
    with (place / "curve.csv").open(newline="") as lines:
        return [
            {name: float(value) if value else None for name, value in line.items()} for line in csv.DictReader(lines)
        ]


def _conditions(work: Path) -> dict[str, Any]:
    told = json.loads((_place(work, "random", 0) / "run.json").read_text())
    splits = [_split(_place(work, "random", seed)) for seed in SEEDS]
    return {
        **{name: told[name] for name in ("model", "digest", "transform", "ladder", "encoder")},
        "options": OPTIONS,
        "seeds": SEEDS,
        "training": len(splits[0][0]),
        "validation": HELD_OUT,
        "validation whose class is trained": [
            sum(one in learned for one in held) / len(held) for learned, held in splits
        ],
    }


def _summary(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Over the splits: the mean, and each."""
    return {
        name: {"mean": statistics.fmean(line[name] for line in lines), "each": [line[name] for line in lines]}
        for name in ("top1", "top5")
    }


def _split(place: Path) -> tuple[list[str], list[str]]:
    """The labels of the pictures that were trained with, and of those that were held out."""
    with (place / "pictures.csv").open(newline="") as lines:
        rows = list(csv.reader(lines))
    training, validation = ([row[1] for row in rows if row[0] == part] for part in ("training", "validation"))
    return training, validation


def _place(work: Path, init: str, seed: int) -> Path:
    return work / f"{init}-{seed}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
