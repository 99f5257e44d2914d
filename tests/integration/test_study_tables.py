"""`framekeep study tables` with a small network of random weights: what it prints, and that a sweep agrees with it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from jsonschema import Draft202012Validator
from safetensors.torch import save_file

from cli.main import run

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/study_tables.json").read_text())
SELECTORS = ("default", "hrs", "t1k", "t5k", "ttk")
PICTURES = 8


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random, with a last layer that is sharp, so that ranks differ and are seldom too close to call."""
    torch.manual_seed(11)
    tensors = timm.create_model("test_resnet").state_dict()
    tensors["fc.weight"] *= 40
    file = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file(tensors, file)
    return file


@pytest.fixture
def pictures(tmp_path: Path, photograph: Callable[..., bytes]) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k in range(PICTURES):
        (folder / f"{k}.jpg").write_bytes(photograph(k))
    (folder / "labels.csv").write_text("file,label\n" + "".join(f"{k}.jpg,{k * 90}\n" for k in range(PICTURES)))
    return folder


@pytest.fixture
def tables(weights: Path, pictures: Path, tmp_path: Path) -> Callable[..., int]:
    def ran(*options: str) -> int:
        given = ("--model", f"test_resnet={weights}", "--ladder", "90,30,5", "--cache", str(tmp_path / "cache"))
        return run(["study", "tables", str(pictures), *given, *options])

    return ran


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize("way", [(), ("--as-daemon",)])
def test_json_is_as_the_schema_says(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], way: tuple[str, ...]
) -> None:
    assert tables("--json", *way) == 0
    document = printed(capsys)
    Draft202012Validator(SCHEMA).validate(document)
    assert {name: set(document[name]) >= {"top1", "top5", "bytes", "cr"} for name in SELECTORS} == dict.fromkeys(
        SELECTORS, True
    )
    assert document["data"]["pictures"] == PICTURES
    assert document["networks"]["test_resnet"]["selected"]["hrs"].keys() == {"original", "q90", "q30", "q5"}
    assert sum(document["networks"]["test_resnet"]["selected"]["t1k"].values()) == PICTURES


def test_json_tells_nothing_of_the_machine(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert tables("--json") == 0
    assert str(tmp_path.parent) not in capsys.readouterr().out


def test_the_same_command_prints_the_same_again(tables: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert tables("--json") == 0
    first = printed(capsys)
    assert tables("--json") == 0
    assert printed(capsys) == first


def test_the_default_is_the_files_themselves(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], pictures: Path
) -> None:
    assert tables("--json") == 0
    default = printed(capsys)["default"]
    assert default["bytes"] == sum(path.stat().st_size for path in pictures.glob("*.jpg"))
    assert default["cr"] == 1


def test_several_networks_are_in_one_table_and_absent_weights_are_named(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("framekeep.models.hub.reachable", lambda: False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    both = ("--model", "inception_v3.tf_in1k", "--model", "tf_efficientnet_lite0")
    assert tables("--json", *both) == 0
    document = printed(capsys)
    Draft202012Validator(SCHEMA).validate(document)
    networks = document["networks"]
    assert list(networks) == ["test_resnet", "inception_v3.tf_in1k", "tf_efficientnet_lite0"]
    assert not networks["inception_v3.tf_in1k"]["measured"]
    assert networks["tf_efficientnet_lite0"]["measured"]
    assert document["t1k"] == networks["test_resnet"]["t1k"]
    assert tables(*both) == 0
    shown = capsys.readouterr().out
    assert shown.count("weights not present") == 6
    assert "Table 7, 8: T1K, T5K and TTK, sizes" in shown


def test_without_any_weights_there_is_no_table(
    pictures: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("framekeep.models.hub.reachable", lambda: False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert run(["study", "tables", str(pictures), "--model", "resnetv2_50"]) == 12
    assert "set weights to a local file" in capsys.readouterr().err


def test_markdown(tables: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert tables("--markdown", "--min-confidence", "0.1", "--min-confidence", "0.5") == 0
    shown = capsys.readouterr().out
    assert "| network | default top-1 | HRS top-1 | default top-5 | HRS top-5 |" in shown
    assert "TTK at 0.1" in shown
    assert "TTK at 0.5" in shown


def test_what_is_left_out_is_told(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], pictures: Path, photograph: Callable[..., bytes]
) -> None:
    (pictures / "unlabelled.jpg").write_bytes(photograph(99))
    (pictures / "3.jpg").write_bytes(photograph(3)[:500])
    assert tables("--json") == 0
    told = capsys.readouterr()
    assert "1 pictures have no label and are left out, such as unlabelled.jpg" in told.err
    assert "3.jpg left out: " in told.err
    data = json.loads(told.out)["data"]
    assert (data["pictures"], data["unlabelled"], list(data["left_out"])) == (PICTURES - 1, 1, ["3.jpg"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--json", "--markdown"), "exclude each other"),
        (("--ladder", "steep"), "--ladder: 'steep' is neither"),
        (("--ladder", "best"), "--ladder: best mixes encoders"),
        (("--model", "test_resnet"), "--model names test_resnet twice"),
        (("--labels", "gone.csv"), "gone.csv cannot be read"),
    ],
)
def test_what_makes_no_sense_is_told(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], options: tuple[str, ...], complaint: str
) -> None:
    assert tables(*options) == 2
    assert complaint in capsys.readouterr().err


def test_without_the_extra_one_sentence_says_what_to_install(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.studying.find_spec", lambda name: None if name == "pyarrow" else sys)
    assert tables() == 2
    assert capsys.readouterr().err == 'framekeep: the study needs pyarrow: pip install "framekeep[study]"\n'


@pytest.fixture
def watched(site: Any, weights: Path, pictures: Path) -> Any:
    """A site whose camera delivered the same pictures, with the same network and ladder."""
    for path in pictures.glob("*.jpg"):
        site.add(f"gate/{path.name}", path.read_bytes())
    selection = {"model": "test_resnet", "weights": str(weights), "ladder": [90, 30, 5], "floor_quality": 0}
    site.configure(selection=selection, encoder={"progressive": True}, vault={"floor_megabytes": 0})
    return site


@pytest.mark.parametrize("keeper", ["t1k", "t5k", "ttk"])
def test_in_the_daemons_way_a_sweep_would_write_the_same_bytes(
    tables: Callable[..., int], capsys: pytest.CaptureFixture[str], watched: Any, keeper: str
) -> None:
    assert watched.run("sweep", "--dry-run", "--json", "--keeper", keeper) == 0
    swept = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert tables("--json", "--as-daemon") == 0
    counted = printed(capsys)
    assert counted["default"]["bytes"] == swept["bytes_before"]
    assert counted[keeper]["bytes"] == swept["bytes_after"]
