"""`framekeep study figures` and `study paper` with a small network of random weights over drawn pictures."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import typer
from PIL import Image
from safetensors.torch import save_file

from cli.main import run
from cli.study import app
from study.page.sections import _COMMANDS

PICTURES = 6
FIGURES = ["3", "4a", "5", "6", "9", "4b", "10", "11", "7"]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A folder of pictures that are not noise alone, and a network whose last layer is sharp, so that ranks differ."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(7)
    for k in range(PICTURES):
        pixels = generator.integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(pixels).resize((160, 120)).save(folder / f"{k} $.jpg", quality=95)
    (folder / "labels.csv").write_text("file,label\n" + "".join(f"{k} $.jpg,{k * 90}\n" for k in range(PICTURES)))
    torch.manual_seed(11)
    torch.set_num_threads(1)
    tensors = timm.create_model("test_resnet").state_dict()
    tensors["fc.weight"] *= 40
    weights = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file(tensors, weights)
    cache = str(tmp_path_factory.mktemp("cache"))
    return [str(folder), "--model", f"test_resnet={weights}", "--ladder", "90,30,5", "--cache", cache]


@pytest.fixture(scope="module")
def page(given: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("paper")
    wished = ["--picture", "2 $.jpg", "--picture", "4 $.jpg", "--model", "resnetv2_50"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("framekeep.models.hub.reachable", lambda: False)
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(out / "hub"))
        assert run(["study", "paper", *given, *wished, "--out", str(out)]) == 0
    return out


def told(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def test_every_figure_is_there_three_times(page: Path) -> None:
    found = {path.name for path in page.glob("figure-*")}
    assert found == {f"figure-{name}.{kind}" for name in FIGURES for kind in ("png", "svg", "json")}
    for name in FIGURES:
        with Image.open(page / f"figure-{name}.png") as picture:
            assert len(picture.convert("L").getcolors() or ()) > 5
        assert "<svg" in (page / f"figure-{name}.svg").read_text()[:1000]


def test_figure_3_is_what_the_tables_say(page: Path) -> None:
    network = told(page, "tables")["networks"]["test_resnet"]
    (curve,) = told(page, "figure-3")["curves"]
    for top in ("top1", "top5"):
        expected = [network["default"][top], *(one[top] for one in network["constant"].values())]
        assert [one["value"] for one in curve[top]] == expected


def test_figure_7_is_what_the_tables_say(page: Path) -> None:
    network = told(page, "tables")["networks"]["test_resnet"]
    counted = told(page, "figure-7")["selected"]
    assert counted == {name: list(counts.values()) for name, counts in network["selected"].items()}


def test_the_pictures_that_were_asked_for_are_shown(page: Path) -> None:
    shown = {name: told(page, f"figure-{name}")["picture"] for name in ("4a", "5", "6", "9", "4b", "10", "11")}
    assert shown == {
        **dict.fromkeys(("4a", "5", "6", "9"), "2 $.jpg"),
        **dict.fromkeys(("4b", "10", "11"), "4 $.jpg"),
    }
    course = told(page, "figure-4a")
    assert course["qualities"] == [90, 30, 5]
    assert len(course["ranks"]) == len(course["probabilities"]) == 4
    assert told(page, "figure-6")["layer"] == "conv1.2"
    assert told(page, "figure-9")["layer"] == told(page, "figure-11")["layer"] == "conv1.5"
    lost = [loss["background"] for loss in told(page, "figure-9")["losses"]]
    assert lost == sorted(lost, reverse=True)


def test_the_page_stands_alone_and_knows_nothing_of_the_machine(page: Path, given: list[str]) -> None:
    html = (page / "paper.html").read_text()
    assert html.count("data:image/png;base64,") == len(FIGURES)
    assert set(re.findall(r'(?:src|href)="(data:image/png;|.)', html)) == {"data:image/png;", "#"}
    for path in page.glob("*.json"):
        assert str(Path(given[0]).parent) not in path.read_text(), path.name
    assert str(Path(given[0]).parent) not in html


def test_what_was_not_measured_is_named(page: Path) -> None:
    html = (page / "paper.html").read_text()
    assert "not measured: weights not present" in html
    assert "not measured: give --model inception_v3.tf_in1k" in html
    claims = {name: one["standing"] for one in told(page, "claims") for name in one["names"]}
    assert {claims[f"Table {k}"] for k in (3, 4, 5)} == {"not measured"}
    assert claims["Theorem 1"] == "holds"
    assert "not measured" not in {claims[name] for name in ("Table 1", "Table 2", "Table 6", "Table 7", "Figure 11")}


def test_tables_are_there_as_markdown(page: Path) -> None:
    text = (page / "tables.md").read_text()
    assert all(f"### Table {number}" in text for number in ("1", "2", "6", "7, 8"))


def test_a_chosen_layer_is_shown(given: list[str], tmp_path: Path) -> None:
    wished = ["--picture", "1 $.jpg", "--layer", "layer2.0.act1", "--out", str(tmp_path)]
    assert run(["study", "figures", *given, *wished]) == 0
    assert {told(tmp_path, f"figure-{k}")["layer"] for k in (6, 9)} == {"layer2.0.act1"}
    assert not (tmp_path / "figure-11.json").exists()
    assert not (tmp_path / "paper.html").exists()


def test_find_lists_pictures_and_draws_nothing(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["study", "figures", *given, "--find", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert re.findall(r"^Like (#\d+): \d+ pictures$", printed, re.MULTILINE) == ["#651", "#37"]
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--picture", "nowhere.jpg"], "--picture nowhere.jpg: there is no such picture in the set"),
        (["--picture", "a", "--picture", "b", "--picture", "c"], "--picture can be given twice at most"),
        (["--picture", "1 $.jpg", "--layer", "nowhere"], "test_resnet has no feature maps at layer nowhere"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert run(["study", "figures", *given, *options, "--out", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("")
    assert run(["study", "figures", *given, "--picture", "1 $.jpg", "--out", str(tmp_path / "out")]) == 2
    assert "the figures cannot be written" in capsys.readouterr().err


def test_an_evaluation_that_is_none_is_told_before_the_pass(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.json").write_text("{}")
    assert run(["study", "paper", *given, "--evaluation", str(tmp_path / "e.json"), "--out", str(tmp_path)]) == 2
    assert "holds nothing that framekeep study evaluate --json printed" in capsys.readouterr().err


def commands_of_the_page() -> list[str]:
    """Each in one line, without where its output goes."""
    lines = "\n".join(_COMMANDS).replace("\\\n", "").splitlines()
    return [line.partition(" >")[0] for line in lines]


@pytest.mark.parametrize("line", commands_of_the_page(), ids=lambda line: " ".join(line.split()[2:4]))
def test_the_commands_that_the_page_names_exist(line: str) -> None:
    program, verb, name, *arguments = line.split()
    assert (program, verb) == ("framekeep", "study")
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]  # it is a group
    assert command.make_context(name, arguments).params
