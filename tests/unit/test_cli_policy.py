"""policy explain, as data and for people."""

import base64
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from jsonschema import Draft202012Validator

from cli.main import run
from cli.policy import show_policy
from daemon.config.hours import WorkingHours
from daemon.config.loading import load
from daemon.config.policy import PolicyBook
from daemon.config.schema import Config
from daemon.config.staging import PolicyBlock
from daemon.policy_explaining import explain_policy
from framekeep.ladder import parse_ladder
from storage.records import Place

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/policy-explain.json").read_text())
DAY = 86_400
POLICIES = {
    "holds": {"timezone": "Europe/Berlin"},
    "vault": {"days": 14},
    "detection": {"classes": ["person"]},
    "policy": [
        {"match": "door/**", "vault_days": 1},
        {"match": ["gate/**", "yard/**"], "keeper": "objects", "ladder": [90, 40], "min_age_days": 2, "slack": 0.2},
        {"match": "private/**", "exclude": True},
        {"match": "night/**", "hours": "22:00-06:00"},
    ],
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(tomli_w.dumps(POLICIES))
    (tmp_path / "incoming/gate").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def config(site: Path) -> Config:
    return load(site / "config.toml")


@pytest.fixture
def asked(site: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def document(path: str) -> dict[str, Any]:
        command = ["policy", "explain", str(site / "incoming" / path), "--json", "--config", str(site / "config.toml")]
        assert run(command) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)
        return told

    return document


def test_the_block_that_holds_and_those_before_it(asked):
    told = asked("yard/1.jpg")
    assert told["policy"] == {"number": 2, "match": ["gate/**", "yard/**"]}
    assert told["passed"] == [{"number": 1, "match": ["door/**"]}]
    assert (told["path"], told["camera"]) == ("yard/1.jpg", "yard")


def test_where_no_block_matches_all_have_been_passed(asked):
    told = asked("street/1.jpg")
    assert told["policy"] is None
    assert [block["number"] for block in told["passed"]] == [1, 2, 3, 4]


def test_every_value_that_a_policy_can_change_has_its_origin(asked):
    values = asked("gate/1.jpg")["values"]
    assert set(values) == set(PolicyBlock.model_fields) - {"match"}
    expected = {
        "keeper": ("objects", "[[policy]] #2", False),
        "ladder": ("90,40", "[[policy]] #2", False),
        "slack": (0.2, "[[policy]] #2", False),
        "vault_days": (14.0, "[vault] days", False),
        "classes": (["person"], "[detection]", False),
        "min_score": (0.5, "[detection]", True),
        "hours": ("00:00-24:00", "[selection]", True),
        "exclude": (False, "default", True),
    }
    told = {key: tuple(values[key].values()) for key in expected}
    assert told == expected
    assert asked("private/1.jpg")["values"]["exclude"] == {
        "value": True,
        "from": "[[policy]] #3",
        "is_default": False,
    }


@pytest.mark.parametrize("camera", ["gate", "door", "private", "night", "street"])
def test_the_values_are_those_that_the_pipeline_asks_for(config: Config, camera: str):
    place = Place(str(config.watch.roots[0]), f"{camera}/1.jpg")
    policy = PolicyBook(config).for_path(place.path)
    for value in explain_policy(config, place, datetime.now(UTC)).values:
        if value.key == "stage":  # what holds later
            continue
        parts = (policy.objects, policy.region_rule, policy)
        met = next(getattr(part, value.key) for part in parts if hasattr(part, value.key))
        told = {
            "ladder": parse_ladder,
            "hours": lambda hours: WorkingHours.parse(hours, config.holds.rules.zone),
            "classes": tuple,
            "regions_classes": tuple,
        }.get(value.key, lambda plain: plain)(value.value)
        assert told == met, value.key


def test_a_young_picture_is_told_until_when(site: Path, asked):
    path = site / "incoming/gate/1.jpg"
    assert (asked("gate/1.jpg")["now"]["exists"], asked("gate/1.jpg")["now"]["too_young_until"]) == (False, None)
    path.touch()
    changed = path.stat().st_mtime
    now = asked("gate/1.jpg")["now"]
    assert datetime.fromisoformat(now["too_young_until"]).timestamp() == pytest.approx(changed + 2 * DAY)
    assert (now["exists"], now["shrunk"]) == (True, False)
    os.utime(path, (time.time() - 3 * DAY,) * 2)
    assert (asked("gate/1.jpg")["now"]["too_young_until"], asked("gate/1.jpg")["now"]["shrunk"]) == (None, True)


def test_a_time_behind_the_calendars_end_is_told_too(site: Path, asked):
    path = site / "incoming/gate/1.jpg"
    path.touch()
    os.utime(path, ns=(2**62, 2**62))
    assert asked("gate/1.jpg")["now"]["too_young_until"] > "2100"


@pytest.mark.parametrize(
    ("at", "outside", "change"),
    [
        ("2026-02-01T12:00+01:00", True, "2026-02-01T22:00+01:00"),
        ("2026-02-01T23:00+01:00", False, "2026-02-02T06:00+01:00"),
        ("2026-02-01T05:59+01:00", False, "2026-02-01T06:00+01:00"),
    ],
)
def test_hours_are_told_by_the_clocks_of_the_zone(config: Config, at: str, outside: bool, change: str):
    moment = datetime.fromisoformat(at).astimezone(UTC)
    now = explain_policy(config, Place(str(config.watch.roots[0]), "night/1.jpg"), moment).now
    assert (now.is_outside_hours, now.hours_change_at) == (outside, datetime.fromisoformat(change))


def test_what_is_excluded_and_what_is_no_picture_is_told(asked):
    now = asked("private/1.jpg")["now"]
    assert (now["excluded"], now["watched"], now["shrunk"]) == (True, True, False)
    assert asked("gate/notes.txt")["now"]["watched"] is False
    assert asked("gate/.hidden/1.jpg")["now"]["watched"] is False


def test_a_name_that_is_no_utf_8_is_told_exactly(asked):
    told = asked(os.fsdecode(b"gate/n\xe4me.jpg"))
    assert told["path"] == r"gate/n\xe4me.jpg"
    assert base64.b64decode(told["path_bytes"]) == b"gate/n\xe4me.jpg"


def shown(config: Config, path: str, at: datetime, capsys: pytest.CaptureFixture[str]) -> list[str]:
    show_policy(explain_policy(config, Place(str(config.watch.roots[0]), path), at), config.holds.timezone)
    return capsys.readouterr().out.splitlines()


def test_for_people_it_fits_on_a_terminal(config: Config, site: Path, capsys: pytest.CaptureFixture[str]):
    (site / "incoming/gate/1.jpg").touch()
    at = datetime(2026, 2, 1, 12, tzinfo=UTC)
    for path in ("gate/1.jpg", "night/1.jpg", "private/1.jpg", "street/1.jpg"):
        _, *lines = shown(config, path, at, capsys)  # the first is the path, as long as it is
        assert max(map(len, lines)) <= 80
    lines = shown(config, "night/1.jpg", at, capsys)
    assert "          outside working hours until 2026-02-01 22:00 (Europe/Berlin)" in lines
    assert "hours               22:00-06:00  [[policy]] #4" in lines
    assert "vault_days          14           [vault] days" in lines
    assert "min_score           0.5          [detection], default" in lines


def test_for_people_what_comes_later_is_told(config: Config, site: Path, capsys: pytest.CaptureFixture[str]):
    path = site / "incoming/gate/1.jpg"
    path.touch()
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC) + timedelta(days=1)
    assert any("too young until " in line for line in shown(config, "gate/1.jpg", at, capsys))
    old = shown(config, "gate/1.jpg", at + timedelta(days=2), capsys)
    assert "now       nothing here keeps it from being shrunk" in old


def test_a_folder_and_a_path_outside_every_root_are_refused(site: Path, capsys: pytest.CaptureFixture[str]):
    config = ["--config", str(site / "config.toml")]
    assert run(["policy", "explain", str(site / "incoming/gate"), *config]) == 2
    assert "is a folder: name a picture in it" in capsys.readouterr().err
    assert run(["policy", "explain", "/elsewhere/1.jpg", *config]) == 2
    assert "outside every watched root" in capsys.readouterr().err
