"""The parallel topology trained on drawn pictures of two classes, with a small network of random weights."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from jsonschema import Draft202012Validator
from PIL import Image
from safetensors.torch import save_file

from cli.main import run
from framekeep.errors import UsageError
from framekeep.ladder import parse_ladder
from framekeep.models.catalogue import ModelChoice
from study.topology.features import features_of
from study.topology.opening import Opened, Wish, open_topology, pictures_of
from study.topology.pictures import Picture
from study.topology.processes import World
from study.topology.recipe import Epoch, Recipe
from study.topology.training import LAST, Training, train

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/study_evaluate.json").read_text())
CLASSES = ("n01440764", "n01443537")
LEARNS = Recipe(unfreeze=1, epochs=3, batch=4, learning_rate=0.05)


class StoppedError(Exception):
    """What ends a training in the middle."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(11)
    file = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), file)
    return file


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reddish noise and greenish noise, one folder a class."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for k in range(14):
        pixels = noise.integers(0, 90, (96, 128, 3)).astype(np.uint8)
        pixels[..., k % 2] += 150
        place = folder / CLASSES[k % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{k:02}.jpg", quality=95)
    return folder


@pytest.fixture
def command(weights: Path, pictures: Path) -> Sequence[str]:
    model = ("--model", f"test_resnet={weights}", "--ladder", "50,10", "--device", "cpu", "--workers", "0")
    recipe = ("--hold-out", "4", "--epochs", "3", "--batch", "4", "--learning-rate", "0.05")
    return ("study", "train", str(pictures), *model, *recipe)


def opened(weights: Path, init: str = "random") -> Opened:
    choice = ModelChoice("test_resnet", weights)
    wish = Wish(choice, parse_ladder([50, 10]), init, seed=0)  # type: ignore[arg-type]  # a str is one of the three
    return open_topology(wish, World(torch.device("cpu")), workers=0)


def training(weights: Path, pictures: Path, folder: Path, recipe: Recipe = LEARNS) -> Training:
    asked = opened(weights, recipe.init)
    found = pictures_of([asked.read(pictures)])
    folder.mkdir(exist_ok=True)
    seen = features_of(found, asked.looking, folder.parent / "features", lambda _done: None)
    return Training(asked.looking, seen.of(found[4:]), seen.of(found[:4]), recipe, folder)


def losses(curve: Sequence[Epoch]) -> list[float]:
    return [epoch.loss for epoch in curve if epoch.loss is not None]


def flat(tensors: Any, name: str = "") -> dict[str, Any]:
    """A checkpoint's leaves by their path."""
    if isinstance(tensors, dict | list | tuple):
        items = tensors.items() if isinstance(tensors, dict) else enumerate(tensors)
        return {path: leaf for key, value in items for path, leaf in flat(value, f"{name}/{key}").items()}
    return {name: tensors}


def assert_same(one: Path, other: Path) -> None:
    first, second = (flat(torch.load(path, weights_only=True)) for path in (one, other))
    assert first.keys() == second.keys()
    for name, value in first.items():
        same = torch.equal(value, second[name]) if isinstance(value, torch.Tensor) else value == second[name]
        assert same, name


def test_the_loss_falls_and_both_classes_are_told_apart(
    command: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run"
    assert run([*command, "--out", str(place), "--epochs", "6", "--patience", "6", "--learning-rate", "0.2"]) == 0
    lines = (place / "curve.csv").read_text().splitlines()
    columns = lines[0].split(",")
    curve = [dict(zip(columns, line.split(","), strict=True)) for line in lines[1:]]
    loss = [float(line["loss"]) for line in curve[1:]]
    assert [line["stage"] for line in curve] == ["0"] * 7 + ["1"] * 6
    assert loss[5] < loss[0]
    assert loss[-1] < loss[5]
    assert float(curve[-1]["top1"]) == 1.0
    assert float(curve[0]["top1"]) < 1.0
    assert "top-1 100.0%" in capsys.readouterr().out


def test_what_a_run_leaves_can_be_read_without_trusting_it(command: Sequence[str], tmp_path: Path) -> None:
    place = tmp_path / "run"
    assert run([*command, "--out", str(place)]) == 0
    for name in (LAST, "stage-0.pt", "stage-1.pt"):
        assert torch.load(place / name, weights_only=True)
    assert set(torch.load(place / "stage-0.pt", weights_only=True)) == {"weight", "bias"}
    told = json.loads((place / "run.json").read_text())
    assert told["recipe"]["init"] == "random"
    assert told["recipe"]["epochs"] == 3
    assert (place / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("stop_at", [0, 2, 4])
def test_an_interrupted_training_ends_as_one_that_was_not(
    weights: Path, pictures: Path, tmp_path: Path, stop_at: int
) -> None:
    recipe = Recipe(unfreeze=1, epochs=3, patience=3, batch=4, learning_rate=0.05, momentum=0.9)
    whole, parts = tmp_path / "whole", tmp_path / "parts"

    def stopping(curve: Sequence[Epoch]) -> None:
        if curve[-1].number == stop_at:
            raise StoppedError

    straight = train(training(weights, pictures, whole, recipe), lambda _curve: None)
    with pytest.raises(StoppedError):
        train(training(weights, pictures, parts, recipe), stopping)
    resumed = train(training(weights, pictures, parts, recipe), lambda _curve: None)
    assert resumed == straight
    assert straight[-1].stage == 1
    for name in (LAST, "stage-0.pt", "stage-1.pt"):
        assert_same(whole / name, parts / name)


def test_the_same_command_again_goes_on_and_another_is_refused(
    command: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--out", str(tmp_path / "run"))
    assert run([*command, *place]) == 0
    before = (tmp_path / "run" / LAST).read_bytes()
    assert run([*command, *place]) == 0
    assert (tmp_path / "run" / LAST).read_bytes() == before
    capsys.readouterr()
    assert run([*command, *place, "--seed", "1"]) == 2
    assert "another recipe, another pictures" in capsys.readouterr().err
    assert run([*command, *place, "--patience", "1"]) == 2
    assert "another recipe: give --out" in capsys.readouterr().err


def test_seeds_are_fixed_and_matter(weights: Path, pictures: Path, tmp_path: Path) -> None:
    recipe = Recipe(unfreeze=0, epochs=1, batch=4)
    curves = [
        train(training(weights, pictures, tmp_path / name, replace(recipe, seed=seed)), _untold)
        for name, seed in (("one", 0), ("again", 0), ("other", 1))
    ]
    assert curves[0] == curves[1]
    assert_same(tmp_path / "one" / LAST, tmp_path / "again" / LAST)
    assert losses(curves[0]) != losses(curves[2])


def test_before_any_training_original_is_the_network_alone(weights: Path, pictures: Path, tmp_path: Path) -> None:
    asked = training(weights, pictures, tmp_path / "run", Recipe(init="original", unfreeze=0, epochs=1, batch=4))
    first = train(asked, _untold)[0]
    alone = opened(weights)
    shown = [asked.looking.view.pixels(picture)[0] for picture in asked.validation.pictures]
    labels = torch.tensor([picture.label for picture in asked.validation.pictures])
    with torch.inference_mode():
        logits = alone.network.module(torch.stack(shown))
    assert first.validation_loss == pytest.approx(torch.nn.functional.cross_entropy(logits, labels).item(), rel=1e-6)


def test_features_are_made_once_and_an_interruption_costs_little(
    weights: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = opened(weights)
    found = pictures_of([asked.read(pictures)])
    monkeypatch.setattr("study.topology.features.TOGETHER", 4)
    told: list[int] = []

    def stopping(done: int) -> None:
        told.append(done)
        if done == 8:
            raise StoppedError

    with pytest.raises(StoppedError):
        features_of(found, asked.looking, tmp_path, stopping)
    again: list[int] = []
    seen = features_of(found, asked.looking, tmp_path, again.append)
    assert (told, again) == ([4, 8], [12, 14])
    for k, picture in enumerate(seen.pictures):
        features, label = seen[k]
        assert label == picture.label
        with torch.inference_mode():
            made = asked.looking.topology.eval().features(asked.looking.view.pixels(picture)[None])[0]
        torch.testing.assert_close(features, made)


def test_workers_make_the_same_features(weights: Path, pictures: Path, tmp_path: Path) -> None:
    asked = opened(weights)
    found = pictures_of([asked.read(pictures)])
    alone, others = (
        features_of(found, replace(asked.looking, workers=workers), tmp_path / str(workers), lambda _done: None)
        for workers in (0, 2)
    )
    assert others.pictures == alone.pictures
    assert all(torch.equal(others[k][0], alone[k][0]) for k in range(len(alone)))


def test_what_cannot_be_read_is_left_out(weights: Path, pictures: Path, tmp_path: Path) -> None:
    asked = opened(weights)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    found = pictures_of([asked.read(pictures)])
    seen = features_of([*found, Picture(broken, 0)], asked.looking, tmp_path / "features", lambda _done: None)
    assert set(seen.pictures) == set(found)
    with pytest.raises(UsageError, match="none of the pictures can be read"):
        seen.of([Picture(broken, 0)])


def test_a_checkpoint_with_more_than_tensors_is_refused(weights: Path, pictures: Path, tmp_path: Path) -> None:
    asked = training(weights, pictures, tmp_path / "run")
    torch.save({"curve": [Path("harmful")]}, asked.folder / LAST)
    with pytest.raises(UsageError, match="cannot be read"):
        train(asked, _untold)


def test_a_training_that_diverges_says_so(weights: Path, pictures: Path, tmp_path: Path) -> None:
    recipe = Recipe(unfreeze=0, epochs=9, patience=9, batch=4, learning_rate=1e30)
    with pytest.raises(UsageError, match="smaller --learning-rate"):
        train(training(weights, pictures, tmp_path / "run", recipe), _untold)


def test_two_processes_train_as_one(command: Sequence[str], tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    assert run([*command, "--out", str(alone)]) == 0
    started = subprocess.run(
        (
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"),
            *(Path(sys.executable).with_name("framekeep"), *command, "--out", str(both)),
        ),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    one, two = (torch.load(place / "stage-0.pt", weights_only=True) for place in (alone, both))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-6)
    assert set(torch.load(both / "stage-1.pt", weights_only=True)) == set(
        torch.load(alone / "stage-1.pt", weights_only=True)
    )
    assert len((both / "curve.csv").read_text().splitlines()) == len((alone / "curve.csv").read_text().splitlines())


def test_evaluation_stands_beside_the_network_alone_and_the_paper(
    command: Sequence[str], pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "run")
    assert run([*command, "--out", place]) == 0
    capsys.readouterr()
    evaluating = ("study", "evaluate", place, str(pictures), "--device", "cpu", "--workers", "0")
    assert run([*evaluating, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    Draft202012Validator(SCHEMA).validate(told)
    assert [row["name"] for row in told["rows"]] == [
        "default",
        "mean of logits",
        "last layer",
        "from layer4.0 onward",
    ]
    assert (told["pictures"], told["trained_on"]) == (4, 10)
    last = (Path(place) / "curve.csv").read_text().splitlines()[-1].split(",")
    assert told["rows"][-1]["top1"]["value"] == float(last[-2])
    assert told["rows"][0]["gain1"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert told["rows"][0]["parameters"] == 469_688
    assert told["rows"][2]["trained"] == 3 * 96 * 1000 + 1000
    assert str(tmp_path) not in json.dumps(told)
    assert run([*evaluating, "--markdown"]) == 0
    printed = capsys.readouterr().out
    assert "| ResNet-152 V2 | cited [35] | 77.8% | 94.1% | 60M |" in printed


def test_a_run_is_not_evaluated_on_what_it_learned_by_heart(
    command: Sequence[str], pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run"
    assert run([*command, "--out", str(place)]) == 0
    rows = (place / "pictures.csv").read_text().replace("validation", "training")
    (place / "pictures.csv").write_text(rows)
    assert run(["study", "evaluate", str(place), str(pictures)]) == 2
    assert "trained with all of these pictures" in capsys.readouterr().err


def _untold(_curve: Sequence[Epoch]) -> None:
    pass
