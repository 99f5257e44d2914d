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
RECIPES: Final = {
    "paper": ("--epochs", "20"),
    "longer": ("--epochs", "60", "--momentum", "0.9"),
}
SHARED: Final = ("--blocks", "0", "--hold-out", str(HELD_OUT), "--patience", "60")
"""So few pictures make so few steps an epoch that an early plateau would tell nothing."""

Line = dict[str, float | None]


def main(work: Path, folders: Sequence[str]) -> None:
    document: dict[str, Any] = {}
    for recipe, options in RECIPES.items():
        curves = {init: [_curve(work, folders, (recipe, init, seed), options) for seed in SEEDS] for init in INITS}
        document[recipe] = {
            "options": [*SHARED, *options],
            "trained": {init: _summary([curve[-1] for curve in curves[init]]) for init in INITS},
            "curves": curves,
        }
    document = {**_conditions(work), **_untrained(document["paper"]["curves"]), **document}
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps({name: _accuracies(document[name]) for name in RECIPES}, indent=1))


def _curve(work: Path, folders: Sequence[str], which: tuple[str, str, int], options: Sequence[str]) -> list[Line]:
    recipe, init, seed = which
    place = _place(work, recipe, init, seed)
    asked = ("--init", init, "--seed", str(seed), "--out", str(place), "--features", str(work / "features"))
    if run(["study", "train", *folders, *asked, *SHARED, *options]) != 0:
        sys.exit(1)
    with (place / "curve.csv").open(newline="") as lines:
        return [
            {name: float(value) if value else None for name, value in line.items()} for line in csv.DictReader(lines)
        ]


def _conditions(work: Path) -> dict[str, Any]:
    told = json.loads((_place(work, "paper", "random", 0) / "run.json").read_text())
    splits = [_split(_place(work, "paper", "random", seed)) for seed in SEEDS]
    return {
        **{name: told[name] for name in ("model", "digest", "transform", "ladder", "encoder")},
        "seeds": list(SEEDS),
        "training": len(splits[0][0]),
        "validation": HELD_OUT,
        "validation whose class is trained": [
            sum(one in learned for one in held) / len(held) for learned, held in splits
        ],
    }


def _untrained(curves: dict[str, list[list[Line]]]) -> dict[str, Any]:
    return {
        "network alone": _summary([curve[0] for curve in curves["original"]]),
        "mean of logits": _summary([curve[0] for curve in curves["mean"]]),
    }


def _accuracies(recipe: dict[str, Any]) -> dict[str, Any]:
    return {init: found["top1"] for init, found in recipe["trained"].items()}


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


def _place(work: Path, recipe: str, init: str, seed: int) -> Path:
    return work / f"{recipe}-{init}-{seed}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
