"""The committed data of figures are those of the committed tables."""

import json
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).parents[2] / "study" / "results"
NETWORK = "tf_efficientnet_lite0"
SETS = ["images", "validation"]


def figure(name: str, number: str) -> Any:
    return json.loads((RESULTS / f"figures-{name}" / f"figure-{number}.json").read_text())


def tables(name: str) -> Any:
    return json.loads((RESULTS / f"tables-{name}.json").read_text())["networks"][NETWORK]


@pytest.mark.parametrize("name", SETS)
def test_curves_are_the_tables(name: str) -> None:
    told = tables(name)
    curve = next(one for one in figure(name, "3")["curves"] if one["network"] == NETWORK)
    for top in ("top1", "top5"):
        expected = [told["default"][top], *(one[top] for one in told["constant"].values())]
        assert [one["value"] for one in curve[top]] == pytest.approx(expected)


@pytest.mark.parametrize("name", SETS)
def test_histograms_are_the_tables(name: str) -> None:
    expected = {selector: list(counts.values()) for selector, counts in tables(name)["selected"].items()}
    assert figure(name, "7")["selected"] == expected


@pytest.mark.parametrize("name", SETS)
def test_examples_are_what_they_stand_for(name: str) -> None:
    top, top_five = figure(name, "4a"), figure(name, "4b")
    assert top["ranks"][0] > 1 == top["ranks"][-1]
    assert top_five["ranks"][0] > 5 >= top_five["ranks"][-1] > 1
    for numbers, course in ((("5", "6", "9"), top), (("10", "11"), top_five)):
        shown = [figure(name, number) for number in numbers]
        assert {one["sha256"] for one in shown} == {course["sha256"]}
        assert {one["digest"] for one in shown} == {tables(name)["digest"]}


@pytest.mark.parametrize("name", SETS)
def test_claims_name_every_table_and_figure(name: str) -> None:
    claims = json.loads((RESULTS / f"claims-{name}.json").read_text())
    names = {one for claim in claims for one in claim["names"]}
    assert names == {"Theorem 1", *(f"Table {k}" for k in range(1, 9)), *(f"Figure {k}" for k in range(1, 13))}
