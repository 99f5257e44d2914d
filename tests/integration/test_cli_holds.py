"""hold, custody and ledger, as an administrator types them, on a ledger and a vault that a sweep made."""

import io
import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
import tomli_w
from jsonschema import Draft202012Validator
from PIL import Image

from cli.main import run
from daemon.config.loading import load
from daemon.house import opened
from daemon.sweep import Sweeping, sweep, targets_of
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from storage.ledger.opening import open_reader, open_writer
from storage.records import Hold

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/ledger-verify.json").read_text())
NAMES = ("gate/20260301_120000.jpg", "gate/20260302_120000.jpg", "yard/20260301_120000.jpg")


class Cat:
    """A model that sees a cat in everything."""

    name, digest, device, class_names, transform = "cat", "c0ffee", "cpu", ("cat", "dog"), "none"

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        return [Evidence(Prediction(np.array([0.9, 0.1], np.float32))) for _ in batch]


@dataclass(frozen=True)
class Office:
    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/var/ledger.sqlite"

    def path(self, name: str) -> Path:
        return self.folder / "incoming" / name

    def sweep(self) -> None:
        config = load(self.folder / "config.toml")
        with opened(config, Cat()) as house:
            sweep(house, targets_of(config, []), Sweeping(dry_run=False))

    def type(self, *words: str | Path) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        self.capsys.readouterr()
        code = run([*map(str, words), "--config", str(self.folder / "config.toml")])
        return code, *self.capsys.readouterr()

    def json(self, *words: str | Path) -> Any:
        code, out, err = self.type(*words, "--json")
        assert code in {0, 14}, err
        return json.loads(out)

    def holds(self, *, removed: bool = False) -> list[Hold]:
        with open_reader(self.url) as reader:
            return reader.holds(removed=removed)


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    office = Office(tmp_path, capsys)
    sections = {"watch": {"settle_seconds": 0.1}, "holds": {"timezone": "Europe/Berlin"}, "vault": {"days": 0}}
    (tmp_path / "config.toml").write_text(tomli_w.dumps(sections))
    for seed, name in enumerate(NAMES):
        noise = np.random.default_rng(seed).normal(128, 20, (96, 128, 3)).clip(0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).save(file, "JPEG", quality=95)
        office.path(name).parent.mkdir(parents=True, exist_ok=True)
        office.path(name).write_bytes(file.getvalue())
        os.utime(office.path(name), (0, 0))
    yield office
    structlog.reset_defaults()  # a command's log goes to a captured stream


@pytest.fixture
def swept(office: Office) -> Office:
    office.path("gate/text.jpg").write_text("no picture")
    os.utime(office.path("gate/text.jpg"), (0, 0))
    office.sweep()
    return office


def test_a_hold_tells_what_it_covers_and_what_can_be_done(swept: Office):
    originals = {name: swept.path(name).read_bytes() for name in NAMES}
    code, out, _ = swept.type("hold", "add", "--camera", "gate", "--reason", "theft", "--case", "7")
    assert code == 0
    assert out.splitlines() == [
        "hold 1: camera gate",
        "untouched: 1 pictures",
        "replaced, with the original in the vault: 2 pictures; framekeep hold add --restore puts originals back",
        "replaced, with the original deleted before: 0 pictures; nothing brings those back",
    ]
    assert swept.type("release")[1].splitlines()[1].startswith("deleted: 1 originals")
    told = swept.json("hold", "add", "--path", "**", "--reason", "theft", "--restore")
    counts = {"untouched": 1, "restorable": 0, "restored": 2, "released_before": 1}
    assert {name: told[name] for name in counts} == counts
    assert [swept.path(name).read_bytes() != originals[name] for name in NAMES] == [True, True, False]


def test_what_is_released_before_stays_so_with_its_count(swept: Office):
    swept.type("release")
    told = swept.json("hold", "add", "--camera", "gate", "--from", "2026-03-02", "--reason", "why", "--restore")
    assert (told["released_before"], told["restored"], told["untouched"]) == (1, 0, 0)


def test_a_restoration_that_fails_is_told_and_ends_with_partial(swept: Office):
    swept.path(NAMES[0]).write_bytes(b"somebody's new picture")
    code, out, err = swept.type("hold", "add", "--camera", "gate", "--reason", "why", "--restore")
    assert code == 3
    assert "restored: 1 pictures" in out
    assert "in the vault, with something else at the path: 1 pictures; move that away first" in out
    assert f"{NAMES[0]} not restored" in err
    assert "move it away first" in err


@pytest.mark.parametrize(
    ("times", "covered"),
    [
        (["--from", "2026-03-01", "--to", "2026-03-01"], 1),
        (["--from", "2026-03-01T12:00:00", "--to", "2026-03-01T12:00:00"], 1),
        (["--from", "2026-03-01T11:00:00Z", "--to", "2026-03-01T11:00:00+00:00"], 1),
        (["--from", "2026-03-01T12:00:01", "--to", "2026-03-02T11:59:59"], 0),
        (["--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T13:00:00Z"], 0),
        (["--from", "2026-03-01"], 2),
        (["--to", "1970-01-01"], 3),
    ],
)
def test_times_without_a_zone_are_in_the_configured_one(swept: Office, times: list[str], covered: int):
    told = swept.json("hold", "add", "--camera", "gate", *times, "--reason", "why")
    assert told["restorable"] + told["untouched"] == covered


def test_a_local_time_that_came_twice_is_taken_so_that_more_is_covered(office: Office):
    hour = "2026-10-25T02:30:00"
    told = office.json("hold", "add", "--camera", "gate", "--from", hour, "--to", hour, "--reason", "why")
    assert (told["hold"]["from"], told["hold"]["to"]) == ("2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00")


def test_a_local_time_that_never_came_is_taken_so_that_more_is_covered(office: Office):
    hour = "2026-03-29T02:30:00"
    told = office.json("hold", "add", "--camera", "gate", "--from", hour, "--to", hour, "--reason", "why")
    assert (told["hold"]["from"], told["hold"]["to"]) == ("2026-03-29T00:30:00+00:00", "2026-03-29T01:30:00+00:00")


def test_a_hold_needs_no_ledger_and_no_picture_yet(office: Office):
    code, _, err = office.type("hold", "add", "--camera", "gate", "--reason", "why")
    assert (code, "no such picture yet: see whether" in err) == (0, True)
    original = office.path(NAMES[0]).read_bytes()
    office.sweep()
    assert office.path(NAMES[0]).read_bytes() == original


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "needs a camera or a path pattern"),
        (["--camera", "gate", "--from", "yesterday"], "'yesterday' is no time"),
        (["--camera", "gate", "--from", "2026-03-02", "--to", "2026-03-01"], "nothing lies between"),
        (["--path", "!gate/**"], "cannot begin with !"),
        (["--camera", "gate", "--root", "elsewhere"], "is no watched root"),
        (["--camera", "gate", "--reason", " "], "--reason is empty"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(office: Office, words: list[str], sentence: str):
    code, _, err = office.type("hold", "add", "--reason", "why", *words)
    assert (code, sentence in err) == (2, True)
    assert not (office.folder / "var").exists()


def test_holds_are_listed(office: Office):
    open_writer(office.url).close()
    assert office.type("hold", "list")[1:] == ("", "no hold is in force\n")
    office.type(
        "hold", "add", "--camera", "g\udcff\x1b[31m", "--to", "2026-03-01", "--reason", "\x1b[31m", "--case", "7"
    )
    office.type("hold", "add", "--path", "*.jpg", "--root", office.folder / "incoming", "--reason", "b")
    office.type("hold", "remove", "2", "--reason", "closed", "--yes")
    _, out, _ = office.type("hold", "list")
    assert "\x1b" not in out
    assert r"camera g\xff\x1b[31m, to 2026-03-01 23:59:59+01:00" in out
    assert "*.jpg" not in out
    _, out, _ = office.type("hold", "list", "--all", "--json")
    first, second = map(json.loads, out.splitlines())
    assert (first["number"], first["camera"], first["case"]) == (1, "g\\xff\x1b[31m", "7")
    assert (second["path"], second["removed_reason"]) == ("*.jpg", "closed")


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 2, 1), ("", 2, 1), ("\n", 2, 1), ("y\n", 0, 0)])
def test_a_hold_is_removed_when_asked_again(
    office: Office, answer: str, code: int, left: int, monkeypatch: pytest.MonkeyPatch
):
    office.type("hold", "add", "--camera", "gate", "--reason", "why")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    told = office.type("hold", "remove", "1", "--reason", "closed")
    assert told[0] == code
    assert "camera gate" in told[2]
    assert len(office.holds()) == left
    (hold,) = office.holds(removed=True)
    assert (hold.removed_reason == "closed") is not bool(left)


def test_what_is_no_hold_cannot_be_removed(office: Office):
    office.type("hold", "add", "--camera", "gate", "--reason", "why")
    office.type("hold", "remove", "1", "--reason", "closed", "--yes")
    for number in ("1", "2"):
        assert office.type("hold", "remove", number, "--reason", "closed", "--yes")[0] == 2


def test_custody_tells_a_pictures_whole_history(swept: Office):
    original = swept.path(NAMES[0])
    swept.type("hold", "add", "--camera", "gate", "--from", "2026-03-01", "--to", "2026-03-01", "--reason", "theft")
    swept.type("hold", "add", "--camera", "yard", "--reason", "other")
    swept.type("hold", "remove", "1", "--reason", "closed", "--yes")
    swept.type("restore", original)
    told = swept.json("custody", original)
    assert [event["event"] for event in told["events"]] == ["replaced", "restored", "kept"]
    replaced, restored, kept = told["events"]
    assert (replaced["keeper"], replaced["model_digest"], replaced["label"]) == ("t1k", "c0ffee", "cat")
    assert len(replaced["sha256_before"]) == 64
    assert restored["decision"] == replaced["decision"]
    assert restored["by"]
    assert (kept["reason"], kept["sha256_before"]) == ("restored", replaced["sha256_before"])
    assert [(hold["reason"], hold["removed_reason"]) for hold in told["holds"]] == [("theft", "closed")]
    _, out, _ = swept.type("custody", original)
    assert replaced["sha256_before"] in out
    assert "hold 1: theft, removed" in out


@pytest.mark.parametrize("command", [["custody"], ["explain"], ["policy", "explain"]])
def test_a_folder_is_no_picture(swept: Office, command: list[str]):
    for folder in ("incoming", "incoming/gate"):
        code, _, err = swept.type(*command, swept.folder / folder)
        assert (code, "is a folder: name a picture in it" in err) == (2, True)


def test_custody_of_what_the_ledger_does_not_know_is_told(swept: Office):
    swept.path("gate/new.jpg").write_bytes(b"new")
    assert "knows of no decision" in swept.type("custody", swept.path("gate/new.jpg"))[2]
    for name in ("gone.jpg", f"{300 * 'a'}.jpg"):
        assert swept.json("custody", swept.path(f"gate/{name}"))["events"] == []


def test_the_head_that_was_kept_proves_the_ledger(swept: Office):
    _, kept, _ = swept.type("ledger", "head")
    assert swept.json("ledger", "head")["digest"] == kept.split()[1]
    swept.type("hold", "add", "--camera", "gate", "--reason", "why")
    code, out, _ = swept.type("ledger", "verify", "--head", kept)
    assert (code, "5 events are as they were written" in out) == (0, True)
    with closing(sqlite3.connect(swept.folder / "var/ledger.sqlite")) as connection, connection:
        connection.execute("UPDATE decision SET label_id = NULL WHERE id = 2")
    code, _, err = swept.type("ledger", "verify")
    assert (code, "the event, or decision 2, was edited" in err) == (14, True)
    told = swept.json("ledger", "verify", "--head", kept)
    assert told["intact"] is False
    assert f"event {told['break']['event']}: {told['break']['sentence']}" in err


def test_verify_proves_the_ledger_too(swept: Office):
    swept.type("hold", "add", "--camera", "gate", "--reason", "why")
    kept = ":".join(swept.type("ledger", "head")[1].split())
    assert swept.type("verify", "--ledger", "--head", kept) == swept.type("ledger", "verify", "--head", kept)
    told = swept.json("verify", "--ledger", "--head", kept)
    assert told == swept.json("ledger", "verify")
    Draft202012Validator(SCHEMA).validate(told)
    with closing(sqlite3.connect(swept.folder / "var/ledger.sqlite")) as connection, connection:
        connection.execute("DROP TRIGGER event_no_delete")
        connection.execute("DELETE FROM event WHERE id = (SELECT max(id) FROM event)")
    assert swept.type("verify", "--ledger")[0] == 14
    told = swept.json("verify", "--ledger", "--head", kept)
    assert not told["intact"]
    Draft202012Validator(SCHEMA).validate(told)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--head", f"1:{'0' * 64}"], "give --ledger, too"),
        (["--ledger", "--labels"], "leave out"),
        (["--ledger", "--sample", "5%"], "leave out"),
        (["--ledger", "incoming"], "leave out"),
        (["--ledger", "--head", "1"], "is no head"),
    ],
)
def test_what_does_not_go_with_the_ledgers_proof_is_refused(swept: Office, words: list[str], sentence: str):
    code, out, err = swept.type("verify", *words)
    assert (code, out, sentence in err) == (2, "", True)


@pytest.mark.parametrize("head", ["", "1", "x" * 64, f"1 {'0' * 63}", f"-1 {'0' * 64}", f"1::{'0' * 64}"])
def test_what_is_no_head_is_refused(swept: Office, head: str):
    code, _, err = swept.type("ledger", "verify", "--head", head)
    assert (code, "is no head" in err) == (2, True)


def test_a_backup_is_a_whole_ledger_and_overwrites_nothing(swept: Office):
    copy = swept.folder / "copy.sqlite"
    with open_writer(swept.url):  # a daemon runs
        assert swept.type("ledger", "backup", copy)[0] == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    with open_reader(f"sqlite:///{copy}") as reader, open_reader(swept.url) as original:
        assert reader.head() == original.head()
        assert (reader.verify_chain(original.head()), reader.damage()) == (None, None)
    before = copy.read_bytes()
    code, _, err = swept.type("ledger", "backup", copy)
    assert (code, "overwrites nothing" in err, copy.read_bytes() == before) == (2, True, True)
    assert swept.type("ledger", "backup", swept.folder / "nowhere" / "copy.sqlite")[0] == 2


def test_without_a_ledger_nothing_is_made(office: Office):
    for words in (["head"], ["verify"], ["backup", str(office.folder / "copy.sqlite")]):
        assert office.type("ledger", *words)[0] == 13
    assert not (office.folder / "var").exists()
    assert not (office.folder / "copy.sqlite").exists()
