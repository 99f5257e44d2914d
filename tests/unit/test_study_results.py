"""The committed results are what an independent computation gave, within its bounds, and name nothing of a machine."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

HOME = Path(__file__).parents[2]
SCHEMA = json.loads((HOME / "docs/schemas/study_tables.json").read_text())
RESULTS = HOME / "study" / "results"
TABLES = sorted(RESULTS.glob("tables-*.json"))
NETWORK = "tf_efficientnet_lite0"

RATIOS = {"t1k": 8.97, "t5k": 2.38, "ttk": 2.31}
"""Of an independent exhaustive computation on the 300 pictures, the paper's ladder, plain Pillow."""
CONSTANT = (83.4, 83.2, 83.0, 81.4, 80.4, 80.0, 78.6, 78.6, 75.8, 74.6, 62.8)
"""Its top-1 accuracies of the original and of QF 100, 90 … 10, on 500 pictures of ImageNet's validation set."""


def results(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((RESULTS / f"tables-{name}.json").read_text())
    network: dict[str, Any] = document["networks"][NETWORK]
    return network


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_results_are_what_the_command_prints(path: Path) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(path.read_text()))


def test_there_are_results_of_both_sets() -> None:
    assert [path.stem for path in TABLES] == ["tables-images", "tables-validation"]


def test_no_result_names_a_host() -> None:
    assert [path.name for path in RESULTS.rglob("*.json") if "://" in path.read_text()] == []


def test_ratios_are_those_of_the_independent_computation() -> None:
    assert {name: results("images")[name]["cr"] for name in RATIOS} == pytest.approx(RATIOS, rel=0.03)


def test_accuracies_are_those_of_the_independent_computation() -> None:
    found = results("validation")
    measured = [found["default"]["top1"], *(found["constant"][f"q{qf}"]["top1"] for qf in range(100, 9, -10))]
    assert [100 * top1 for top1 in measured] == pytest.approx(CONSTANT, abs=100 / 500 + 1e-9)


@pytest.mark.parametrize("name", ["images", "validation"])
def test_what_the_paper_proves_is_in_the_results(name: str) -> None:
    found = results(name)
    for selector, kept in (("t1k", ["top1"]), ("t5k", ["top5"]), ("ttk", ["top1", "top5"])):
        assert [found[selector][top] for top in kept] == [found["default"][top] for top in kept]
    others = [*(found[one] for one in ("default", "t1k", "t5k", "ttk")), *found["constant"].values()]
    for top in ("top1", "top5"):
        assert found["hrs"][top] >= max(other[top] for other in others)
