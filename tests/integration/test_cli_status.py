"""status on a real ledger and a real file of live state."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cli.main import run
from daemon.live_state import LiveState
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.opening import open_writer
from storage.ledger.writer import Writer
from storage.records import Claim, Draft, Place, Settings

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
T1K = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", True, "tf_efficientnet_lite0", "ab")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/status.json").read_text())
STATE = {
    "version": "0.1.0",
    "since": (NOW - DAY).isoformat(),
    "roots": ["/srv/pictures"],
    "model": "tf_efficientnet_lite0",
    "device": "cpu",
    "waiting": 3,
    "pictures_per_second": 1.5,
    "replaced": 2,
    "kept": 1,
    "skipped": 0,
    "failed": 1,
    "missed_by_watcher": 1,
    "bytes_before": 4000,
    "bytes_after": 2200,
    "last_decision_at": NOW.isoformat(),
    "last_decision_reason": "qualified",
    "watching": "everything",
    "breaker": [],
    "pressure": ["/srv/pictures: less than 10% is free"],
}


def draft(path: str, reason: Reason, at: datetime, **changes: Any) -> Draft:
    return Draft(Place("/srv/pictures", path), T1K, reason, FileIdentity(1000, 1, 2, 3), at, **changes)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    path = tmp_path / "config.toml"
    path.touch()
    return str(path)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with open_writer(f"sqlite:///{tmp_path}/var/ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def document(config: str, capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    def asked() -> dict[str, Any]:
        assert run(["status", "--config", config, "--json"]) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)
        return told

    return asked


@pytest.fixture
def shown(config: str, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def asked() -> str:
        assert run(["status", "--config", config]) == 0
        return capsys.readouterr().out

    return asked


def test_a_daemon_is_told_of(
    writer: Writer, tmp_path: Path, document: Callable[[], dict[str, Any]], shown: Callable[[], str]
):
    (tmp_path / "incoming").mkdir()
    LiveState(tmp_path / "var" / "run").write(STATE)
    told = document()
    assert told["alive"]
    assert told["daemon"] == {k: v for k, v in STATE.items() if k != "roots"} | {"pid": os.getpid()}
    words = ("running for 1 day, 0:0", "3; 1.5 pictures/s", "2 replaced, 1 kept, 0 skipped, 1 failed", "1.82x smaller")
    text = shown()
    assert all(word in text for word in words)


def test_the_ledger_tells_of_failures_and_replacements_under_way(
    writer: Writer, tmp_path: Path, document: Callable[[], dict[str, Any]], shown: Callable[[], str]
):
    writer.record([draft("gate/1.jpg", Reason.UNREADABLE, NOW - 2 * DAY)])
    writer.record([draft("gate/2.jpg", Reason.UNREADABLE, NOW - DAY / 2)])
    replacement = {"sha256_before": b"1" * 32, "sha256_after": b"2" * 32, "bytes_after": 100, "vault_entry": "entry"}
    writer.plan([draft("gate/3.jpg", Reason.QUALIFIED, NOW - DAY, **replacement)])
    assert document()["ledger"] == {
        "url": f"sqlite:///{tmp_path}/var/ledger.sqlite",
        "fault": None,
        "last_decision_at": (NOW - DAY / 2).isoformat(),
        "failures_last_day": 1,
        "pending": 1,
        "breaker": [],
        "holds": {"in_force": 0, "first": []},
    }
    text = shown()
    assert "1 failures in the last day: see framekeep decisions" in text
    assert "1 replacements under way: the next start ends them" in text


def test_the_holds_in_force_are_counted_and_the_first_are_told(
    writer: Writer, document: Callable[[], dict[str, Any]], shown: Callable[[], str]
):
    assert "in force" not in shown()
    holds = [writer.add_hold(Claim(f"why {k}\x1b[31m", camera=f"cam{k}", since=NOW - k * DAY)) for k in range(7)]
    writer.remove_hold(holds[0].number, "closed")
    told = document()["ledger"]["holds"]
    assert told["in_force"] == 6
    assert [hold["camera"] for hold in told["first"]] == [f"cam{k}" for k in range(1, 6)]
    assert told["first"][0]["from"] == (NOW - DAY).isoformat()
    text = shown()
    assert "6 in force; the first 5, framekeep hold list shows all" in text
    assert "2: camera cam1, from " in text
    assert "(why 1\\x1b[31m)" in text
    assert "cam6" not in text
    for hold in holds[2:]:
        writer.remove_hold(hold.number, "closed")
    assert "1 in force\n" in shown()


def test_each_roots_space_is_told(tmp_path: Path, document: Callable[[], dict[str, Any]], shown: Callable[[], str]):
    (tmp_path / "incoming").mkdir()
    (root,) = document()["roots"]
    assert (root["path"], root["fault"]) == (f"{tmp_path}/incoming", None)
    assert 0 < root["free_bytes"] <= root["total_bytes"]
    assert f"{tmp_path}/incoming: " in shown()


def test_nothing_runs_and_nothing_is_there(document: Callable[[], dict[str, Any]], shown: Callable[[], str]):
    told = document()
    assert (told["alive"], told["daemon"]) == (False, None)
    assert "There is no ledger" in told["ledger"]["fault"]
    assert told["ledger"]["holds"] is None
    assert told["roots"][0]["fault"] == "No such file or directory"
    text = shown()
    assert "not running" in text
    assert "There is no ledger" in text


def test_what_cannot_be_read_is_told(writer: Writer, tmp_path: Path, document: Callable[[], dict[str, Any]]):
    writer.close()
    (tmp_path / "var/ledger.sqlite").write_text("rubbish " * 1000)
    assert "is not a SQLite database" in document()["ledger"]["fault"]


def test_what_policies_keep_from_being_shrunk_is_told(config: str, document, shown):
    now = datetime.now(UTC)
    closed, always = f"{now + 2 * HOUR:%H:%M}-{now + 3 * HOUR:%H:%M}", "00:00-24:00"
    toml = f'[selection]\nhours = "{closed}"\n[[policy]]\nmatch = "gate/**"\nhours = "{always}"\n'
    Path(config).write_text(toml + '[[policy]]\nmatch = ["yard/**", "safe/**"]\nexclude = true\n')
    told = document()["policy"]
    assert told["excluded"] == [{"policy": 2, "match": ["yard/**", "safe/**"]}]
    (hours,) = told["hours"]
    assert (hours["policy"], hours["hours"], hours["timezone"], hours["open"]) == (None, closed, "UTC", False)
    begins = datetime.fromisoformat(hours["changes_at"])
    assert f"{begins:%H:%M}" == closed[:5]
    assert now < begins <= now + 2 * HOUR
    text = shown()
    assert "excluded  yard/**, safe/** (policy #2)" in text
    assert f"closed, nothing is shrunk until {closed[:5]}: {closed} UTC (where no policy says otherwise)" in text


def test_without_policies_nothing_is_told_of_them(document):
    assert document()["policy"] == {"excluded": [], "hours": []}
