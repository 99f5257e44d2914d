"""What training the parallel topology does with few pictures: each way to start, on several splits of the same set.

usage: python -m benchmarks.topology_trial WORK DIR...    WORK keeps the features and the runs; DIR: labelled pictures
Writes study/results/topology-trial.json. The network alone and the mean of its logits are the curves' first lines: with
the inits "original" and "mean" nothing has been trained yet there.
"""

import csv
import json
import statistics
import sys
from pathlib import Path
from typing import Any, Final

from cli.main import run

RESULT: Final = Path(__file__).parents[1] / "study/results/topology-trial.json"
INITS: Final = ("random", "original", "mean")
SEEDS: Final = (0, 1, 2)
HELD_OUT: Final = 250


def main(work: Path, folders: list[str]) -> None:
    curves = {(init, seed): _curve(work, folders, init, seed) for init in INITS for seed in SEEDS}
    first = json.loads((work / "random-0" / "run.json").read_text())
    told = {name: first[name] for name in ("model", "digest", "transform", "ladder", "encoder", "recipe")}
    document = {
        "run": told,
        "seeds": SEEDS,
        "training": _pictures(work / "random-0", "training"),
        "validation": HELD_OUT,
        "network alone": _summary([curves["original", seed][0] for seed in SEEDS]),
        "mean of logits": _summary([curves["mean", seed][0] for seed in SEEDS]),
        "trained": {init: _summary([curves[init, seed][-1] for seed in SEEDS]) for init in INITS},
        "curves": {init: [curves[init, seed] for seed in SEEDS] for init in INITS},
    }
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps({name: document[name] for name in ("network alone", "mean of logits", "trained")}, indent=1))


def _curve(work: Path, folders: list[str], init: str, seed: int) -> list[dict[str, float | None]]:
    place = work / f"{init}-{seed}"
    options = ("--blocks", "0", "--hold-out", str(HELD_OUT), "--features", str(work / "features"))
    asked = ("study", "train", *folders, "--init", init, "--seed", str(seed), "--out", str(place), *options)
    if run(asked) != 0:
        sys.exit(1)
    with (place / "curve.csv").open(newline="") as lines:
        return [
            {name: float(value) if value else None for name, value in line.items()} for line in csv.DictReader(lines)
        ]


def _summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the splits: the mean, and each."""
    return {
        name: {"mean": statistics.fmean(line[name] for line in lines), "each": [line[name] for line in lines]}
        for name in ("top1", "top5")
    }


def _pictures(place: Path, part: str) -> int:
    return sum(line.startswith(f"{part},") for line in (place / "pictures.csv").read_text().splitlines())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
