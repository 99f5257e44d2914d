"""framekeep forecast as an administrator types it, with the real models."""

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cli.forecast_progress import sentence, share
from daemon.forecasting.progress import Progress

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/forecast.json").read_text())


@pytest.fixture
def strange(filled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside every root with three cameras, a name that is not UTF-8, and files that are no pictures."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name, data in filled.originals.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (folder / "gate/odd.jpg").write_bytes(b"this is no picture")
    (folder / "notes.txt").write_text("not looked at")
    os.mkfifo(folder / "gate/pipe.jpg")
    return folder


def test_json_is_as_its_schema_has_it(filled, strange, capsys: pytest.CaptureFixture[str]):
    assert filled.run("forecast", strange, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    Draft202012Validator(SCHEMA).validate(told)
    assert (told["pictures"], told["looked"]) == (6, 5)  # a pipe has no bytes, so that nothing can be said of it
    assert [one["camera"] for one in told["cameras"]] == ["gate", "gate2", "yard"]
    assert told["left_alone"] == {"not_jpeg": 1}
    assert [(one["keeper"], one["min_confidence"], one["regions"]) for one in told["forecasts"]] == [
        *((keeper, least, None) for least in (0.0, 0.3) for keeper in ("t1k", "t5k", "ttk")),
        *(("objects", None, regions) for regions in (None, "exact", 60)),
    ]
    for one in told["forecasts"]:
        assert one["ratio"]["low"] == one["ratio"]["estimate"] == one["ratio"]["high"] >= 1  # every picture was seen
    assert told["recommendation"]["advice"] in ("objects", "neither", "labels", "both")
    assert not filled.ledger.exists()


def test_a_table_fits_a_terminal_and_ends_with_advice(filled, strange, capsys: pytest.CaptureFixture[str]):
    assert filled.run("forecast", strange, "--confidence", "0.9") == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "90% interval" in told.out
    assert sum(line.startswith(("t1k", "t5k", "ttk", "objects")) for line in lines) == 9
    assert "left alone  1 not_jpeg" in told.out
    assert any(line.startswith("Recommended: your classifier recognises something in") for line in lines)


def test_without_a_detector_it_says_so_and_tells_of_labels(filled, strange, capsys: pytest.CaptureFixture[str]):
    filled.configure(detection={"model": "oid_ssd", "weights": "nowhere.tflite"})
    assert filled.run("forecast", strange / "yard", "--json") == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    Draft202012Validator(SCHEMA).validate(answer)
    assert answer["detector"] is None
    assert {one["keeper"] for one in answer["forecasts"]} == {"t1k", "t5k", "ttk"}
    assert "forecast_without_objects" in told.err
    filled.configure(selection={"keeper": "objects"}, detection={"model": "oid_ssd", "weights": "nowhere.tflite"})
    assert filled.run("forecast", strange / "yard") == 12


def test_where_there_is_nothing_it_tells_of_nothing(filled, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "empty").mkdir()
    assert filled.run("forecast", tmp_path / "empty", "--json") == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    Draft202012Validator(SCHEMA).validate(answer)
    assert (answer["pictures"], answer["forecasts"], answer["recommendation"]) == (0, [], None)
    assert "there are no pictures to look at" in told.err
    assert filled.run("forecast", tmp_path / "missing") == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("options", [("--confidence", "1"), ("--max-minutes", "0"), ("--confidence", "much")])
def test_nonsense_is_refused(site, options: tuple[str, str]):
    assert site.run("forecast", site.root, *options) == 2


def test_a_bar_is_as_full_as_the_nearest_end():
    progress = Progress(100, found=1000)
    assert sentence(progress) == "1,000 pictures found"
    progress.begin()
    progress.looked = 50
    assert share(progress) == pytest.approx(0.05, abs=0.01)
    progress.reach = 0.2
    assert share(progress) == pytest.approx(0.25, abs=0.01)
    assert sentence(progress) == "50 of 1,000 looked at, within 20%"
