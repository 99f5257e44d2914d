import tomllib
from pathlib import Path

import pytest

from cli.main import run
from daemon.config.loading import load
from daemon.config.showing import template


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_writes_the_commented_defaults(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["config", "init"]) == 0
    assert (folder / "config.toml").read_text() == template()
    assert capsys.readouterr() == ("", "config.toml written\n")


def test_init_overwrites_only_if_forced(folder: Path, capsys: pytest.CaptureFixture[str]):
    path = folder / "mine.toml"
    path.write_text("mine")
    assert run(["config", "init", str(path)]) == 2
    assert path.read_text() == "mine"
    assert "--force overwrites it" in capsys.readouterr().err
    assert run(["config", "init", str(path), "--force"]) == 0
    assert path.read_text() == template()


def test_init_tells_why_it_cannot_write(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["config", "init", "nowhere/config.toml"]) == 10
    assert capsys.readouterr().err == "framekeep: nowhere/config.toml cannot be written: No such file or directory\n"


def test_check_tells_all_that_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.toml").write_text("[watch]\nsettle_seconds = 0\n[vault]\ndas = 1\n")
    assert run(["config", "check", "--config", "config.toml"]) == 10
    out, err = capsys.readouterr()
    assert out == ""
    assert "settle_seconds" in err
    assert 'did you mean "days"' in err


def test_check_wants_the_roots(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.toml").touch()
    assert run(["config", "check", "--config", "config.toml"]) == 10
    assert f"{folder}/incoming does not exist" in capsys.readouterr().err
    (folder / "incoming").mkdir()
    assert run(["config", "check", "--config", "config.toml"]) == 0
    assert capsys.readouterr().out == "config.toml can be used\n"


def test_show_can_be_loaded_again(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.toml").write_text('[selection]\nkeeper = "ttk"\n[[policy]]\nmatch = "gate/**"\nvault_days = 1\n')
    assert run(["config", "show", "--config", "config.toml"]) == 0
    shown = folder / "shown.toml"
    shown.write_text(capsys.readouterr().out)
    assert load(shown) == load(folder / "config.toml")


def test_show_changed_leaves_the_defaults_out(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.toml").write_text('[selection]\nkeeper = "ttk"\nbatch = 16\n')
    assert run(["config", "show", "--changed", "--config", "config.toml"]) == 0
    assert tomllib.loads(capsys.readouterr().out) == {"selection": {"keeper": "t1k,t5k"}}


def test_without_a_verb_the_verbs_are_shown(capsys: pytest.CaptureFixture[str]):
    assert run(["config"]) == 2
    out, err = capsys.readouterr()
    assert all(verb in out + err for verb in ("init", "check", "show"))


def test_check_tells_of_cameras_that_are_not_there_and_of_hours_by_unknown_clocks(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "incoming/Gate").mkdir(parents=True)
    policies = '[[policy]]\nmatch = ["gate/**", "!yard/x.jpg", "*-ir.jpg"]\nhours = "22:00-06:00"\n'
    (folder / "config.toml").write_text(policies + '[[policy]]\nmatch = ["/door/x/**", "gat/**"]\nvault_days = 1\n')
    assert run(["config", "check", "--config", "config.toml"]) == 10
    out, err = capsys.readouterr()
    assert out == ""
    hours, refused, camera = err.splitlines()
    assert refused == "framekeep: config.toml cannot be used: 1 error"
    assert camera == "  #2 is for door, gat, which no root has yet: see whether the name is right"
    assert hours.startswith("hours: 22:00-06:00 by the clocks of UTC, where it is ")
    assert hours.endswith("set [holds] timezone, so that they mean yours")
    (folder / "config.toml").write_text('[holds]\ntimezone = "UTC"\n' + policies)
    assert run(["config", "check", "--config", "config.toml"]) == 0
    assert capsys.readouterr().err == ""
