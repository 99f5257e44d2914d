"""The commands that need the model, with the real one: a sweep's choice is explained, and the doctor is content."""

import io
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from PIL import Image

from cli.main import run
from framekeep.models.detectors.catalogue import PEDESTRIAN_PACKAGE


def photograph(seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    coarse = Image.fromarray(chance.integers(0, 256, (6, 8, 3), np.uint8)).resize((320, 240), Image.Resampling.BICUBIC)
    noisy = np.asarray(coarse) + chance.normal(0, 4, (240, 320, 3))
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "incoming/gate").mkdir(parents=True)
    for seed in range(3):
        (folder / f"incoming/gate/{seed}.jpg").write_bytes(photograph(seed))
    (folder / "config.toml").write_text('[watch]\nsettle_seconds = 0.1\n[selection]\nkeeper = "ttk"\n')
    assert run(["sweep", "--config", str(folder / "config.toml")]) == 0
    structlog.reset_defaults()  # its log goes to a captured stream
    return folder


@pytest.fixture
def rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def asked(verb: str, *arguments: str) -> list[dict[str, Any]]:
        assert run([verb, "--json", "--config", str(folder / "config.toml"), *arguments]) == 0
        structlog.reset_defaults()
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return asked


def test_what_was_decided_is_explained(folder: Path, rows: Any):
    decisions = rows("decisions")
    assert len(decisions) == 3
    for decision in decisions:
        (told,) = rows("explain", str(folder / "incoming" / decision["path"]))
        assert told["source"] == "vault"
        assert told["choice"] == decision["rung"]
        assert told["reason"] == decision["reason"]
        assert (told["bytes_before"], told["bytes_after"]) == (decision["bytes_before"], decision["bytes_after"])
        assert [variant["quality"] for variant in told["variants"]] == list(range(100, 9, -10))
        if told["choice"]:
            assert [v["rung"] for v in told["variants"] if v["qualifies"]][-1] == told["choice"]
        for variant in told["variants"]:
            assert variant["qualifies"] is (variant["why"] == "")
            assert len(variant["top5"]) == 5
            if variant["qualifies"]:
                names = [{name for name, _ in top5} for top5 in (told["original"]["top5"], variant["top5"])]
                assert names[0] == names[1]


def test_an_explanation_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]):
    path = folder / "incoming/gate/1.jpg"
    assert run(["explain", "--config", str(folder / "config.toml"), str(path)]) == 0
    structlog.reset_defaults()
    shown = capsys.readouterr().out
    assert f"picture  {path}" in shown
    assert "the original in the vault" in shown
    assert [line.split()[0] for line in shown.splitlines()[-10:]] == [f"q{quality}" for quality in range(100, 9, -10)]


def test_the_doctor_is_content(folder: Path, rows: Any):
    found = rows("doctor")
    names = ["configuration", "model", "device", "look", "squeezer", "drift check", "ledger", "vault", "filesystem"]
    assert [check["name"] for check in found] == [*names, "exchange", "space", "inotify", "owners"]
    assert not [check for check in found if check["state"] == "fault"]
    assert "ms for one picture" in found[3]["sentence"]


def test_the_doctor_tells_of_a_wrong_model_and_looks_at_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]):
    config = folder / "wrong.toml"
    config.write_text('[selection]\nmodel = "no_such_model"\n')
    assert run(["doctor", "--config", str(config)]) == 12
    structlog.reset_defaults()
    shown = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert (shown["model"], shown["ledger"], shown["exchange"]) == ("fault", "ok", "ok")


@pytest.mark.skipif(find_spec(PEDESTRIAN_PACKAGE.module) is None, reason="pedestrian_ssdlite is absent: make detector")
def test_the_doctor_looks_with_each_model_that_a_keeper_needs(folder: Path, capsys: pytest.CaptureFixture[str]):
    config = folder / "objects.toml"
    shown = {}
    for keeper in ("objects", "t1k,objects"):
        config.write_text(f'[selection]\nkeeper = "{keeper}"\n')
        assert run(["doctor", "--json", "--config", str(config)]) == 0
        structlog.reset_defaults()
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        shown[keeper] = {line["name"]: line["sentence"] for line in lines}
        assert "pedestrian_ssdlite: 1 class, weights 7a23982e5825" in shown[keeper]["detector"]
        assert shown[keeper]["detector's device"] == "cpu (openvino)"
    assert ("model" in shown["objects"], "model" in shown["t1k,objects"]) == (False, True)


def test_the_doctor_tells_of_a_detector_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]):
    config = folder / "no_detector.toml"
    config.write_text('[selection]\nkeeper = "objects"\n[detection]\nmodel = "no_such_detector"\n')
    assert run(["doctor", "--json", "--config", str(config)]) == 12
    structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = (line for line in lines if line["name"] == "detector")
    assert (told["state"], "no detector is known as 'no_such_detector'" in told["sentence"]) == ("fault", True)


def test_models_are_listed_with_the_configured_one_first(rows: Any, folder: Path, capsys: pytest.CaptureFixture[str]):
    first, *others = rows("models")
    assert (first["name"], first["usable"], first["classes"]) == ("tf_efficientnet_lite0", True, 1000)
    assert [(other["name"], other["kind"]) for other in others] == [
        ("tf_efficientnet_lite1", "classifier"),
        ("tf_efficientnet_lite2", "classifier"),
        ("pedestrian_ssdlite", "detector"),
        ("oid_ssd", "detector"),
    ]
    assert run(["models", "--config", str(folder / "config.toml")]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == [
        "tf_efficientnet_lite0",
        "classifier",
        "yes",
        "1,000",
    ]
