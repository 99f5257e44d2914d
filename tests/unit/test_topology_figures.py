"""The paper's tables 3, 4 and 5 as printed, and where they stand beside what was measured."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from study.measuring import Resampling
from study.topology.evaluating import DEFAULT, Contender, Ranks
from study.topology.figures import TABLE_3, TABLE_4, TABLE_5
from study.topology.module import build_topology
from study.topology.recipe import Recipe
from study.topology.results import Evaluation, document, measured, sheets
from study.topology.runs import Run

ROOT = Path(__file__).parents[2]
RUN = Run("inception_v3.tf_in1k", "0" * 64, "/somewhere/weights", "none", "50", "pillow", Recipe())


@pytest.fixture(scope="module")
def rows() -> list[Contender]:
    with torch.device("meta"):
        network = timm.create_model("inception_v3")
    alone = build_topology(network, 2, "original")
    unfrozen = build_topology(network, 2, "original")
    unfrozen.unfreeze(1)
    return [
        Contender(DEFAULT, None, alone, alone.head),
        Contender("last layer", 0, alone, alone.head),
        Contender("from Mixed_7c onward", 1, unfrozen, unfrozen.head),
    ]


@pytest.fixture
def evaluation(rows: list[Contender]) -> Evaluation:
    by_name = {DEFAULT: [1, 1, 2, 9], "last layer": [1, 1, 1, 5], "from Mixed_7c onward": [6, 6, 6, 6]}
    ranks = Ranks(4, 0, {name: np.array(found) for name, found in by_name.items()})
    return Evaluation(RUN, 4, 0, 0, Resampling(), measured(rows, ranks, Resampling()))


def test_accuracies_and_gains_are_those_of_the_ranks(evaluation: Evaluation) -> None:
    alone, last, unfrozen = evaluation.rows
    assert (alone.top1.value, alone.top5.value) == (0.5, 0.75)
    assert (last.gain1.value, last.gain5.value) == (0.25, 0.25)
    assert (unfrozen.gain1.value, unfrozen.top5.value) == (-0.5, 0.0)
    assert (alone.gain1.low, alone.gain1.high) == (0.0, 0.0)
    assert last.gain1.low == 0.0  # a gain of one picture of four may be chance
    assert last.top1.low < 0.75 < last.top1.high


def test_parameters_are_counted_with_every_inputs_weights(evaluation: Evaluation) -> None:
    alone, last, unfrozen = evaluation.rows
    assert (alone.parameters, alone.trained) == (23_834_568, 0)
    assert last.parameters - alone.parameters == 2048 * 1000
    assert last.trained == 2 * 2048 * 1000 + 1000
    assert unfrozen.trained - last.trained == 6_076_800  # Mixed_7c


def test_each_stage_stands_beside_its_line_of_table_3(evaluation: Evaluation) -> None:
    by_block, _ = sheets(evaluation)
    assert by_block.number == "3"
    assert [row[-3:] for row in by_block.rows] == [
        ("Default", "77.6%", "93.83%"),
        ("Logits Block", "77.77%", "93.880%"),
        ("From Block10 onward", "77.896%", "94.094%"),
    ]


def test_another_network_stands_beside_no_line(evaluation: Evaluation) -> None:
    by_block, among_others = sheets(replace(evaluation, run=replace(RUN, model="tf_efficientnet_lite0")))
    assert by_block.number == "3, 4"
    assert {row[-3:] for row in by_block.rows} == {("", "", "")}
    assert len(among_others.rows) == 3 + len(TABLE_5)
    assert document(evaluation)["paper"]["number"] == 3


def test_the_document_names_no_path_of_the_machine(evaluation: Evaluation) -> None:
    assert "somewhere" not in str(document(evaluation))


def test_table_5_rounds_tables_3_and_4() -> None:
    for table, model in ((TABLE_3, "Our topology + Inception V3"), (TABLE_4, "Our topology + ResNet 50-V2")):
        cited = next(line for line in TABLE_5 if line.model == model)
        assert float(cited.top1.rstrip("%")) == pytest.approx(float(table.lines[-1].top1.rstrip("%")), abs=0.0501)
        assert float(cited.top5.rstrip("%")) == pytest.approx(float(table.lines[-1].top5.rstrip("%")), abs=0.0501)


def test_only_the_papers_own_topology_is_not_cited() -> None:
    assert [line.model for line in TABLE_5 if line.source is None] == [line.model for line in TABLE_5[-2:]]


def test_the_page_tells_of_the_trial_what_its_result_says() -> None:
    """docs/study.md: a row for each way to start, by split and on average."""
    summary = json.loads((ROOT / "study/results/topology-trial.json").read_text())["summary"]
    page = (ROOT / "docs/study.md").read_text()
    for name, found in summary.items():
        each = ", ".join(f"{top1:.1%}" for top1 in found["top1"]["each"])
        top1, top5 = (found[top]["mean"] for top in ("top1", "top5"))
        assert f"| {name} | {each} | {top1:.1%} | {top5:.1%} |" in page
