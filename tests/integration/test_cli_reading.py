"""report and decisions on a real ledger, as data and as an administrator sees them; the tables of status, too."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cli.main import run
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.opening import open_writer
from storage.ledger.writer import Writer
from storage.records import Draft, Place, Settings, Timings

NOW = datetime.now(UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
T1K = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", True, "tf_efficientnet_lite0", "ab")
IDENTITY = FileIdentity(1000, 1, 2, 3)
LATIN = os.fsdecode(b"gate/n\xe4me.jpg")
HOSTILE = "\x1b]0;owned\x07[red]" + "name " * 30
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
SUMS = {
    "pictures": 4,
    "replaced": 2,
    "kept": 1,
    "failed": 1,
    "bytes_before": 4000,
    "bytes_after": 2200,
    "bytes_saved": 1800,
    "bytes_freed": 900,
    "bytes_in_vault": 900,
    "missed_by_watcher": 1,
}


def kept(path: str, reason: Reason, **changes: Any) -> Draft:
    return replace(Draft(Place("/srv/pictures", path), T1K, reason, IDENTITY, NOW), **changes)


def replaced(path: str, **changes: Any) -> Draft:
    before = sha256(os.fsencode(path)).digest()
    draft = kept(path, Reason.QUALIFIED, sha256_before=before, sha256_after=sha256(before).digest(), bytes_after=100)
    return replace(draft, rung="q10", quality=10, vault_entry=before.hex(), vault_days=7.0, **changes)


def confirm(writer: Writer, *drafts: Draft) -> list[int]:
    decisions = writer.plan(drafts)
    writer.confirm([(decision, IDENTITY) for decision in decisions])
    return decisions


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.toml"
    path.touch()
    return str(path)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with open_writer(f"sqlite:///{tmp_path}/var/ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def ledger(writer: Writer) -> Writer:
    """Two replacements, of which one is released, one picture kept, and one failure."""
    released, _ = confirm(
        writer,
        replaced("gate/1.jpg", label="crane", probability=0.5, decided_at=NOW - 30 * DAY),
        replaced(LATIN, label="pole", probability=0.25, missed_by_watcher=True, timings=Timings(1, 2, 3, 4)),
    )
    writer.release([released], NOW)
    writer.record([kept("yard/2.jpg", Reason.NOT_JPEG, decided_at=NOW - DAY)])
    writer.record([kept("yard/3.jpg", Reason.UNREADABLE, note="Permission denied", decided_at=NOW - DAY / 2)])
    return writer


class Said:
    """What a command printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        code = run(arguments)
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def validate(document: dict[str, Any], schema: str) -> None:
    Draft202012Validator(
        json.loads((SCHEMAS / schema).read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER
    ).validate(document)


def test_a_report_tells_what_was_decided_and_what_was_freed(ledger: Writer, config: str, said: Said):
    assert said("report", "--config", config, "--json") == 0
    assert said.document == SUMS | {"since": None, "until": None, "by": None, "groups": []}


@pytest.mark.parametrize("by", ["camera", "day", "keeper", "model", "reason", "label"])
def test_groups_of_a_report_add_up(by: str, ledger: Writer, config: str, said: Said):
    assert said("report", "--config", config, "--json", "--by", by) == 0
    validate(said.document, "report.json")
    for name, total in SUMS.items():
        assert sum(group[name] for group in said.document["groups"]) == total


def test_a_report_of_some_days(ledger: Writer, config: str, said: Said):
    assert said("report", "--config", config, "--json", "--since", "7d", "--until", TODAY.isoformat()) == 0
    validate(said.document, "report.json")
    assert said.document["since"] == (TODAY - 7 * DAY).isoformat()
    assert said.document["until"] == TODAY.isoformat()
    assert 1 <= said.document["pictures"] <= 2  # half a day ago is yesterday or today


def test_a_report_in_csv(ledger: Writer, config: str, said: Said):
    assert said("report", "--config", config, "--csv", "--by", "label") == 0
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["label"] for row in rows] == ["", "crane", "pole"]
    assert [row["bytes_freed"] for row in rows] == ["0", "900", "0"]
    assert said("report", "--config", config, "--csv") == 0
    (row,) = csv.DictReader(io.StringIO(said.out))
    assert {name: int(row[name]) for name in SUMS} == SUMS
    assert "looked" not in row


def test_a_report_in_csv_tells_what_a_second_model_said_of_each_camera(ledger: Writer, config: str, said: Said):
    decisions = confirm(ledger, *(replaced(f"door/{number}.jpg") for number in range(3)))
    ledger.second_look([(decisions[0], True), (decisions[1], False)], "second")
    assert said("report", "--config", config, "--csv", "--by", "camera") == 0
    rows = {row["camera"]: (row["looked"], row["agreed"]) for row in csv.DictReader(io.StringIO(said.out))}
    assert rows == {"door": ("2", "1"), "gate": ("0", "0"), "yard": ("0", "0")}


def test_an_empty_ledger_gives_a_report(writer: Writer, config: str, said: Said):
    assert said("report", "--config", config, "--json", "--by", "camera") == 0
    validate(said.document, "report.json")
    assert said.document["pictures"] == 0
    assert said("report", "--config", config) == 0
    assert "0 replaced, 0 kept, 0 failed" in said.out
    assert "nothing was decided" in said.err


@pytest.mark.parametrize("verb", ["report", "decisions"])
def test_a_missing_ledger_is_told_in_a_sentence(verb: str, config: str, said: Said):
    assert said(verb, "--config", config) == 13
    assert said.out == ""
    assert "There is no ledger at" in said.err


def test_what_cannot_be_asked_is_a_usage_error(ledger: Writer, config: str, said: Said):
    assert said("report", "--config", config, "--by", "colour") == 2
    assert said("report", "--config", config, "--csv", "--json") == 2
    assert said("report", "--config", config, "--since", "soon") == 2
    assert said("report", "--config", config, "--since", "2026-03-02", "--until", "2026-03-02") == 2
    assert "no day lies between" in said.err
    assert said("decisions", "--config", config, "--reason", "mood") == 2
    assert "known are qualified, squeezed" in said.err
    assert said("decisions", "--config", config, "--limit", "0") == 2


def test_decisions_as_json_hold_the_contract(ledger: Writer, config: str, said: Said):
    assert said("decisions", "--config", config, "--json") == 0
    assert [row["path"] for row in said.rows] == ["gate/n\\xe4me.jpg", "yard/3.jpg", "yard/2.jpg", "gate/1.jpg"]
    hash_before = sha256(os.fsencode(LATIN)).digest()
    newest = said.rows[0]
    contract = {
        "path": "gate/n\\xe4me.jpg",
        "path_bytes": "Z2F0ZS9u5G1lLmpwZw==",
        "root": "/srv/pictures",
        "camera": "gate",
        "keeper": "t1k",
        "rung": "q10",
        "quality": 10,
        "reason": "qualified",
        "bytes_before": 1000,
        "bytes_after": 100,
        "sha256_before": hash_before.hex(),
        "sha256_after": sha256(hash_before).hexdigest(),
        "label": "pole",
        "probability": 0.25,
        "model": "tf_efficientnet_lite0",
        "decided_at": NOW.isoformat(),
        "state": "confirmed",
        "standing": "replaced",
        "vault_entry": hash_before.hex(),
        "release_at": (NOW + 7 * DAY).isoformat(),
        "released_at": None,
        "missed_by_watcher": True,
        "timings": {"read_ms": 1, "climb_ms": 2, "look_ms": 3, "write_ms": 4},
    }
    assert {name: newest[name] for name in contract} == contract
    failure = said.rows[1]
    assert (failure["standing"], failure["note"], failure["quality"]) == ("failed", "Permission denied", None)
    assert "path_bytes" not in failure


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        (["--camera", "yard"], ["yard/3.jpg", "yard/2.jpg"]),
        (["--reason", "not_jpeg"], ["yard/2.jpg"]),
        (["--path", "*/1.*"], ["gate/1.jpg"]),
        (["--path", LATIN], ["gate/n\\xe4me.jpg"]),
        (["--until", "7d"], ["gate/1.jpg"]),
        (["--since", "7d", "--camera", "gate"], ["gate/n\\xe4me.jpg"]),
        (["--last", "1"], ["gate/n\\xe4me.jpg"]),
        (["--camera", "nobody"], []),
    ],
)
def test_decisions_are_filtered(filters: list[str], paths: list[str], ledger: Writer, config: str, said: Said):
    assert said("decisions", "--config", config, "--json", *filters) == 0
    assert [row["path"] for row in said.rows] == paths


def test_more_decisions_than_are_shown_are_told_of(ledger: Writer, config: str, said: Said):
    said("decisions", "--config", config, "--limit", "2")
    assert len(said.out.splitlines()) == 3
    assert "the newest 2" in said.err
    said("decisions", "--config", config, "--camera", "nobody")
    assert said.err == "no decision matches\n"


@pytest.mark.parametrize("command", [["report", "--by", "camera"], ["report", "--by", "label"], ["decisions"]])
def test_a_name_is_shown_and_not_obeyed(command: list[str], ledger: Writer, config: str, said: Said):
    ledger.record([kept(f"{HOSTILE}/1.jpg", Reason.WOULD_NOT_SHRINK, label=HOSTILE)])
    said(*command, "--config", config)
    assert "\\x1b]0;owned\\x07[red]name" in said.out


def test_a_table_in_a_pipe_is_not_folded(ledger: Writer, config: str, said: Said):
    path = f"gate/{'deep/' * 40}1.jpg"
    ledger.record([kept(path, Reason.WOULD_NOT_SHRINK)])
    said("decisions", "--config", config, "--limit", "1")
    header, line = said.out.splitlines()
    assert header.split() == ["decided", "(UTC)", "path", "outcome", "before", "after", "label"]
    assert line.split()[2:4] == [path, "would_not_shrink"]
    assert line == line.rstrip()


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "command",
    [["report"], ["report", "--by", "camera"], ["report", "--by", "label"], ["decisions"], ["status"]],
    ids=" ".join,
)
def test_a_table_on_a_terminal_fits_and_obeys_no_name(
    command: list[str], ledger: Writer, config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "incoming").mkdir()
    large = replace(IDENTITY, size=10**12)
    ledger.record([kept(f"{HOSTILE}/1.jpg", Reason.WOULD_NOT_SHRINK, label=HOSTILE, identity=large)])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert run([*command, "--config", config]) == 0
    shown = sys.stdout.getvalue()
    assert "\x1b]0;" not in shown
    assert "\x07" not in shown
    plain = shown.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert max(map(len, plain.splitlines())) <= 80
    assert "\x1b" not in plain
