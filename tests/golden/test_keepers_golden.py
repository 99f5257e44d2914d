"""What each keeper chooses on evidence that a real model gave for real camera frames (evidence.json)."""

import json
from pathlib import Path

import numpy as np
import pytest

from framekeep.evidence import Evidence, Prediction
from framekeep.keepers.base import Keeper
from framekeep.keepers.labels import HighestRank
from framekeep.keepers.naming import keeper_of
from framekeep.search import NEVER, exhaustive, lazy, run

HERE = Path(__file__).parent
FRAMES = json.loads((HERE / "evidence.json").read_text())
CLASSES = 1000

KEEPERS: dict[str, Keeper] = {
    **{
        f"{name} {theta}": keeper_of(name, theta)
        for name in ("t1k", "t5k", "ttk", "t5k,t1k")
        for theta in (0.0, 0.1, 0.3)
    },
    "ttk to the letter": keeper_of("ttk", margin=0.0),
    "hrs of class 0": HighestRank(0),
}


def evidence(variant: dict) -> Evidence:
    probabilities = np.zeros(CLASSES, dtype=np.float32)
    for label, probability in variant["top"]:
        probabilities[label] = probability
    return Evidence(Prediction(probabilities))


def choice(frame: dict, keeper: Keeper, rule) -> str:
    seen = [evidence(variant) for variant in frame["variants"]]
    sizes = [variant["bytes"] for variant in frame["variants"]]

    def cost(j: int) -> float:
        return keeper.judge(seen[0], seen[j]).cost if sizes[j] < sizes[0] else NEVER

    j = run(rule(len(seen) - 1, keeper.original_cost(seen[0])), cost)
    return f"q{frame['variants'][j]['quality']}" if j else "original"


@pytest.mark.parametrize("name", KEEPERS)
def test_choices(name: str, update_golden: bool):
    choices = {frame["picture"]: choice(frame, KEEPERS[name], lazy) for frame in FRAMES}
    file = HERE / "choices.json"
    golden = json.loads(file.read_text()) if file.exists() else {}
    if update_golden:
        file.write_text(json.dumps(golden | {name: choices}, indent=1, sort_keys=True) + "\n")
    assert choices == json.loads(file.read_text())[name]


@pytest.mark.parametrize("name", KEEPERS)
def test_the_lazy_search_chooses_what_the_exhaustive_one_does(name: str):
    for frame in FRAMES:
        assert choice(frame, KEEPERS[name], lazy) == choice(frame, KEEPERS[name], exhaustive)


def test_the_frames_tell_keepers_apart():
    golden = json.loads((HERE / "choices.json").read_text())
    different = ["t1k 0.0", "t5k 0.0", "ttk 0.0", "t1k 0.3", "t5k 0.3", "hrs of class 0"]
    assert len({tuple(golden[name].values()) for name in different}) == len(different)
