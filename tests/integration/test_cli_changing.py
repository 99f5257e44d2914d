"""restore, release and explain on a root that was swept in earnest, with a model that always sees the same."""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import structlog
import tomli_w
from PIL import Image

from cli.explain import document, show_explained
from cli.main import run
from daemon.config.loading import load
from daemon.config.schema import Config
from daemon.explaining import Explained, explain_place
from daemon.house import opened
from daemon.sweep import Sweeping, place_of, sweep, targets_of
from framekeep.errors import UsageError
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage.ledger.answers import Decision, Wanted
from storage.ledger.opening import open_reader, open_writer
from storage.records import Claim


class Steadfast:
    """A model that sees a cat in everything."""

    name, digest, device, class_names, transform = "steadfast", "00", "cpu", ("cat", "dog"), "none"

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        return [Evidence(Prediction(np.array([0.9, 0.1], np.float32))) for _ in batch]


def photograph(seed: int) -> bytes:
    noise = np.random.default_rng(seed).normal(128, 20, (96, 128, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=95)
    return file.getvalue()


ORIGINALS = {"gate/1.jpg": photograph(1), "gate/2.jpg": photograph(2)}


@dataclass(frozen=True)
class Site:
    folder: Path

    @property
    def config(self) -> Config:
        return load(self.folder / "config.toml")

    @property
    def own(self) -> Path:
        return self.folder / "incoming/.framekeep"

    @property
    def vault(self) -> Path:
        return self.own / "vault"

    def originals(self) -> list[Path]:
        """What the vault holds, besides sidecars."""
        return [path for path in self.vault.iterdir() if not path.suffix]

    def path(self, name: str) -> Path:
        return self.folder / "incoming" / name

    def configure(self, days: float) -> None:
        sections = {"watch": {"settle_seconds": 0.1}, "vault": {"days": days}, "service": {"log_format": "json"}}
        (self.folder / "config.toml").write_text(tomli_w.dumps(sections))

    def sweep(self) -> None:
        with opened(self.config, Steadfast()) as house:
            sweep(house, targets_of(house.config, []), Sweeping(dry_run=False))

    def run(self, verb: str, *arguments: str | Path) -> int:
        return run([verb, "--config", str(self.folder / "config.toml"), *map(str, arguments)])

    def decisions(self) -> list[Decision]:
        """Newest first."""
        with open_reader(self.config.ledger.url) as reader:
            return list(reader.decisions(Wanted()))

    def explained(self, name: str) -> Explained:
        return explain_place(self.config, Steadfast(), place_of(self.config, self.path(name)))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.configure(days=7)
    for name, data in ORIGINALS.items():
        site.path(name).parent.mkdir(parents=True, exist_ok=True)
        site.path(name).write_bytes(data)
    yield site
    structlog.reset_defaults()  # a command's log goes to a captured stream


@pytest.fixture
def swept(site: Site) -> Site:
    site.sweep()
    assert len(site.originals()) == 2
    return site


@pytest.fixture
def due(site: Site) -> Site:
    site.configure(days=0)
    site.sweep()
    return site


def test_restore_puts_the_original_back_and_tells_the_ledger(swept: Site, capsys: pytest.CaptureFixture[str]):
    assert swept.run("restore", swept.path("gate/1.jpg")) == 0
    assert capsys.readouterr().out.startswith(f"{swept.path('gate/1.jpg')} restored, ")
    assert swept.path("gate/1.jpg").read_bytes() == ORIGINALS["gate/1.jpg"]
    assert swept.path("gate/2.jpg").read_bytes() != ORIGINALS["gate/2.jpg"]
    assert swept.decisions()[0].reason is Reason.RESTORED
    swept.sweep()
    assert swept.path("gate/1.jpg").read_bytes() == ORIGINALS["gate/1.jpg"]


def test_restore_works_beside_a_daemon(swept: Site):
    with opened(swept.config, Steadfast()):
        assert swept.run("restore", swept.path("gate/1.jpg")) == 0
    assert swept.path("gate/1.jpg").read_bytes() == ORIGINALS["gate/1.jpg"]


def test_restore_tells_what_it_cannot_and_goes_on(swept: Site, capsys: pytest.CaptureFixture[str]):
    swept.path("gate/1.jpg").write_bytes(b"somebody's new picture")
    assert swept.run("restore", *map(swept.path, ("gate/0.jpg", "gate/1.jpg", "gate/2.jpg"))) == 3
    out, err = capsys.readouterr()
    assert [line.rpartition("/")[2].split(",")[0] for line in out.splitlines()] == ["2.jpg restored"]
    missing, taken = err.splitlines()
    assert missing.endswith("0.jpg not restored: the vault holds no original of it")
    assert "move it away first" in taken
    assert swept.path("gate/1.jpg").read_bytes() == b"somebody's new picture"


def test_restore_outside_every_root_changes_nothing(swept: Site, capsys: pytest.CaptureFixture[str]):
    assert swept.run("restore", swept.path("gate/1.jpg"), "/etc/hostname") == 2
    assert "outside every watched root" in capsys.readouterr().err
    assert swept.path("gate/1.jpg").read_bytes() != ORIGINALS["gate/1.jpg"]


@pytest.mark.parametrize("command", [["restore", "incoming/gate/1.jpg"], ["release"]])
def test_without_a_ledger_nothing_is_made(
    command: list[str], site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(site.folder)
    assert site.run(*command) == 13
    assert "There is no ledger" in capsys.readouterr().err
    assert sorted(path.name for path in site.folder.iterdir()) == ["config.toml", "incoming"]


def test_release_deletes_what_is_due(due: Site, capsys: pytest.CaptureFixture[str]):
    size = sum(map(len, ORIGINALS.values()))
    assert due.run("release", "--dry-run") == 0
    assert capsys.readouterr().out == f"due: 2 originals, {size:,} bytes\n"
    assert len(due.originals()) == 2
    assert due.run("release") == 0
    assert capsys.readouterr().out.splitlines()[1] == f"deleted: 2 originals, {size:,} bytes"
    assert not list(due.vault.iterdir())
    assert all(decision.released_at for decision in due.decisions())


def test_release_leaves_what_is_not_due(swept: Site, capsys: pytest.CaptureFixture[str]):
    assert swept.run("release") == 0
    assert capsys.readouterr().out == "due: 0 originals, 0 bytes\ndeleted: 0 originals, 0 bytes\n"
    assert len(swept.originals()) == 2


def test_release_tells_what_it_cannot_delete(due: Site, capsys: pytest.CaptureFixture[str]):
    with due.originals()[0].open("ab"):
        assert due.run("release") == 3
    assert "not deleted: 1 originals" in capsys.readouterr().err
    assert due.run("release") == 0
    assert not list(due.vault.iterdir())


def test_release_sets_aside_what_a_late_writer_changed(due: Site, capsys: pytest.CaptureFixture[str]):
    changed = due.originals()[0]
    with changed.open("ab") as file:
        file.write(b"late")
    data = changed.read_bytes()
    assert due.run("release") == 3
    out, err = capsys.readouterr()
    assert "deleted: 1 originals" in out
    assert "original_changed" in err
    assert "set aside: 1 originals" in err
    assert not list(due.vault.iterdir())
    assert (due.own / "strangers" / changed.name).read_bytes() == data
    assert (due.own / "strangers" / f"{changed.name}.json").exists()
    aside, released = sorted(due.decisions(), key=lambda decision: decision.released_at is not None)
    assert (aside.vault_entry, aside.released_at, released.vault_entry) == (None, None, None)
    assert "strangers" in aside.note
    assert due.run("release") == 0


def test_release_sets_aside_beside_what_was_set_aside_under_that_name_before(due: Site):
    changed = due.originals()[0]
    with changed.open("ab") as file:
        file.write(b"late")
    data = changed.read_bytes()
    (due.own / "strangers" / changed.name).write_bytes(b"a stranger")
    assert due.run("release") == 3
    assert (due.own / "strangers" / changed.name).read_bytes() == b"a stranger"
    assert (due.own / "strangers" / f"{changed.name}-2").read_bytes() == data
    assert (due.own / "strangers" / f"{changed.name}-2.json").exists()
    assert due.run("release") == 0


def test_a_replaced_picture_is_explained_from_the_vault(swept: Site):
    told = swept.explained("gate/1.jpg")
    assert told.source is not None
    assert (told.source.name, told.source.data) == ("vault", ORIGINALS["gate/1.jpg"])
    (decision,) = (decision for decision in swept.decisions() if decision.place.path == "gate/1.jpg")
    assert isinstance(told.outcome, Written)
    assert told.outcome.rung is not None
    assert told.outcome.rung.name == decision.rung == "q10"
    assert len(told.outcome.data) == decision.bytes_after
    swept.path("gate/1.jpg").unlink()
    assert swept.explained("gate/1.jpg").source == told.source


def test_explaining_makes_nothing_and_needs_no_lock(site: Site, swept: Site):
    with opened(swept.config, Steadfast()):
        before = sorted(swept.folder.rglob("*"))
        swept.explained("gate/1.jpg")
        assert sorted(swept.folder.rglob("*")) == before


@pytest.mark.parametrize("marked", [True, False])
def test_a_variant_without_its_original_is_not_explained(marked: bool, due: Site):
    due.run("release")
    if not marked:
        os.removexattr(due.path("gate/1.jpg"), "user.framekeep")
    told = due.explained("gate/1.jpg")
    assert isinstance(told.outcome, Kept)
    assert told.outcome.reason is Reason.ALREADY_SHRUNK
    assert told.explanation is None


def test_a_picture_that_came_later_is_explained_from_the_file(swept: Site):
    swept.path("gate/1.jpg").write_bytes(photograph(3))
    told = swept.explained("gate/1.jpg")
    assert told.source is not None
    assert (told.source.name, told.source.data) == ("file", photograph(3))


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_hold_is_told_with_what_would_be_chosen(is_replaced: bool, swept: Site, capsys: pytest.CaptureFixture[str]):
    if not is_replaced:
        swept.path("gate/1.jpg").write_bytes(photograph(3))
    assert document(swept.explained("gate/1.jpg"), Steadfast.class_names)["hold"] is None
    with open_writer(swept.config.ledger.url) as writer:
        number = writer.add_hold(Claim("court", pattern="gate/1.jpg")).number
    told = swept.explained("gate/1.jpg")
    assert document(told, Steadfast.class_names)["hold"] == number
    show_explained(told, Steadfast.class_names)
    assert f"hold     {number}: neither replaced nor released" in capsys.readouterr().out
    assert document(swept.explained("gate/2.jpg"), Steadfast.class_names)["hold"] is None


def test_a_hold_is_told_by_the_time_of_what_stands_there_too(swept: Site):
    """As a sweep asks: somebody has changed the time of the variant's file."""
    then = datetime(2011, 1, 1, tzinfo=UTC)
    with open_writer(swept.config.ledger.url) as writer:
        writer.add_hold(Claim("court", since=then, until=then + timedelta(days=1), pattern="**"))
    assert document(swept.explained("gate/1.jpg"), Steadfast.class_names)["hold"] is None
    noon = (then + timedelta(hours=12)).timestamp()
    os.utime(swept.path("gate/1.jpg"), (noon, noon))
    told = document(swept.explained("gate/1.jpg"), Steadfast.class_names)
    assert (told["source"], told["hold"]) == ("vault", 1)


def test_explaining_needs_no_ledger(site: Site):
    told = site.explained("gate/1.jpg")
    assert told.source is not None
    assert told.source.name == "file"
    assert sorted(path.name for path in site.folder.iterdir()) == ["config.toml", "incoming"]


def test_what_is_not_looked_at_is_told_with_its_reason(site: Site):
    site.path("text.jpg").write_text("no picture")
    site.path("link.jpg").symlink_to(site.path("gate/1.jpg"))
    for name, reason in (("text.jpg", Reason.NOT_JPEG), ("link.jpg", Reason.SYMLINK), ("gate", Reason.NOT_A_FILE)):
        outcome = site.explained(name).outcome
        assert isinstance(outcome, Kept)
        assert outcome.reason is reason


def test_what_is_not_there_is_a_usage_error(site: Site):
    with pytest.raises(UsageError, match=r"nowhere\.jpg is not there"):
        site.explained("nowhere.jpg")
