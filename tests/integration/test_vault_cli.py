"""The vault as an administrator knows it: batches of restorations, a lost ledger, deleted pictures, a full disk."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import structlog
import tomli_w
from PIL import Image

from cli.main import run
from daemon.config.loading import load
from daemon.config.schema import Config
from daemon.house import opened
from daemon.releasing import Vaults, release_due
from daemon.restoring import restorable, restore_all
from daemon.sweep import Sweeping, sweep, targets_of
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from framekeep.reasons import Reason
from storage.attribute import NAME
from storage.holds import HoldBook
from storage.ledger.answers import Decision, Held, Wanted
from storage.ledger.opening import open_reader, open_writer
from storage.root import Root


class Steadfast:
    """A model that sees a cat in everything."""

    name, digest, device, class_names, transform = "steadfast", "00", "cpu", ("cat", "dog"), "none"

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        return [Evidence(Prediction(np.array([0.9, 0.1], np.float32))) for _ in batch]


def photograph(seed: int) -> bytes:
    noise = np.random.default_rng(seed).normal(128, 20, (64, 64, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=95)
    return file.getvalue()


STRANGE = os.fsdecode(b"yard/n\xe4chtlich.jpg")
ORIGINALS = {name: photograph(seed) for seed, name in enumerate(("gate/1.jpg", "gate/2.jpg", "gate2/3.jpg", STRANGE))}


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
    def ledger(self) -> Path:
        return self.folder / "var/ledger.sqlite"

    def path(self, name: str) -> Path:
        return self.folder / "incoming" / name

    def configure(self, **vault: float | bool) -> None:
        sections = {"watch": {"settle_seconds": 0.1}, "vault": vault, "service": {"log_format": "json"}}
        (self.folder / "config.toml").write_text(tomli_w.dumps(sections))

    def sweep(self) -> Sweeping:
        sweeping = Sweeping(dry_run=False)
        with opened(self.config, Steadfast()) as house:
            sweep(house, targets_of(house.config, []), sweeping)
        return sweeping

    def run(self, *command: str | Path) -> int:
        return run([*map(str, command), "--config", str(self.folder / "config.toml")])

    def restored(self) -> set[str]:
        """The pictures that are as the camera wrote them."""
        return {name for name, data in ORIGINALS.items() if self.path(name).read_bytes() == data}

    def decisions(self, path: str | None = None) -> list[Decision]:
        """Newest first."""
        with open_reader(self.config.ledger.url) as reader:
            return list(reader.decisions(Wanted(path=path)))

    def in_vault(self) -> set[str]:
        return {path.name for path in (self.own / "vault").iterdir()}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.configure(floor_megabytes=0)
    for name, data in ORIGINALS.items():
        site.path(name).parent.mkdir(parents=True, exist_ok=True)
        site.path(name).write_bytes(data)
    yield site
    structlog.reset_defaults()  # a command's log goes to a captured stream


@pytest.fixture
def swept(site: Site) -> Site:
    assert site.sweep().tally.replaced == len(ORIGINALS)
    return site


def test_the_vault_holds_each_original_with_its_sidecar(swept: Site):
    entries = {decision.vault_entry or "" for decision in swept.decisions()}
    assert swept.in_vault() == entries | {f"{entry}.json" for entry in entries}
    assert not list((swept.own / "staged").iterdir())


@pytest.mark.parametrize(
    ("asked", "restored"),
    [
        (["incoming/gate"], {"gate/1.jpg", "gate/2.jpg"}),
        (["incoming/gate/2.jpg", "incoming/gate2"], {"gate/2.jpg", "gate2/3.jpg"}),
        (["incoming"], set(ORIGINALS)),
        (["--camera", "yard"], {STRANGE}),
        (["--since", "1d"], set(ORIGINALS)),
        (["incoming/gate", "--since", "1d", "--camera", "gate"], {"gate/1.jpg", "gate/2.jpg"}),
        (["--until", "1d"], set()),
    ],
)
def test_what_is_asked_for_is_restored(
    swept: Site, asked: list[str], restored: set[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(swept.folder)
    assert swept.run("restore", *asked, "--dry-run") == 0
    assert swept.restored() == set()
    assert swept.run("restore", *asked) == 0
    assert swept.restored() == restored
    assert len(swept.in_vault()) == 2 * (len(ORIGINALS) - len(restored))
    assert swept.sweep().tally.replaced == 0
    assert swept.restored() == restored


def test_one_decision_is_restored(swept: Site):
    (decision,) = swept.decisions("gate/2.jpg")
    assert swept.run("restore", "--decision", str(decision.number)) == 0
    assert swept.restored() == {"gate/2.jpg"}


def test_a_restored_picture_has_its_times_mode_and_attributes(site: Site):
    path = site.path("gate/1.jpg")
    path.chmod(0o640)
    os.setxattr(path, "user.note", b"kept")
    os.utime(path, ns=(1_500_000_000_123456789, 1_600_000_000_987654321))
    before = path.stat()
    site.sweep()
    assert path.stat().st_ino != before.st_ino
    assert site.run("restore", path) == 0
    after = path.stat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert (after.st_nlink, os.listxattr(path), os.getxattr(path, "user.note")) == (1, ["user.note"], b"kept")


def test_nothing_named_is_nothing_restored(swept: Site, capsys: pytest.CaptureFixture[str]):
    assert swept.run("restore") == 2
    assert "name what to restore" in capsys.readouterr().err
    assert swept.run("restore", swept.path("nowhere")) == 3
    assert "holds no original" in capsys.readouterr().err
    assert swept.restored() == set()


def test_an_interrupted_restoration_is_ended_by_the_next_command(swept: Site):
    (decision,) = swept.decisions("gate/1.jpg")
    with open_writer(swept.config.ledger.url) as writer:
        assert writer.begin_restoration(decision.number, datetime.now(UTC))
        assert not writer.begin_restoration(decision.number + 99, datetime.now(UTC))
    kept = swept.own / "vault" / (decision.vault_entry or "")
    os.link(kept, swept.own / "staged" / kept.name)
    assert swept.run("restore", swept.path("gate/1.jpg")) == 0
    assert swept.restored() == {"gate/1.jpg"}
    assert swept.path("gate/1.jpg").stat().st_nlink == 1
    with open_writer(swept.config.ledger.url) as writer:
        assert writer.restorations() == []


def test_a_restore_and_a_release_at_once_lose_nothing(site: Site):
    site.configure(days=0, floor_megabytes=0)
    for number in range(12):
        site.path(f"gate/more{number}.jpg").write_bytes(photograph(100 + number))
    site.sweep()
    variants = {path: path.read_bytes() for path in site.path("").rglob("*.jpg")}
    originals = {decision.place.path: decision.sha256_before for decision in site.decisions()}
    config = site.config

    def restore() -> None:
        list(restore_all(config, restorable(config, Held())))

    def release() -> None:
        with open_writer(config.ledger.url) as writer, open_reader(config.ledger.url) as reader, Root(root) as opened:
            release_due(writer, Vaults({root: opened}, HoldBook(reader, config.holds.rules)), datetime.now(UTC))

    root = str(site.path(""))
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work) for work in (restore, release)]:
            done.result()
    assert not site.in_vault()
    newest = {decision.place.path: decision for decision in reversed(site.decisions())}
    for path, variant in variants.items():
        decision = newest[str(path.relative_to(root))]
        is_back = hashlib.sha256(path.read_bytes()).hexdigest() == originals[decision.place.path]
        assert is_back == (decision.reason is Reason.RESTORED)
        assert is_back or (path.read_bytes() == variant and decision.released_at)
        assert path.stat().st_nlink == 1


def test_what_is_being_restored_is_recognised_before_it_is_done(swept: Site):
    (decision,) = swept.decisions("gate/1.jpg")
    content = bytes.fromhex(decision.sha256_before or "")
    with open_writer(swept.config.ledger.url) as writer:
        assert writer.restored([content]) == set()
        writer.begin_restoration(decision.number, datetime.now(UTC))
        assert writer.restored([content]) == {content}
        writer.forgo(decision.number)
        assert writer.restored([content]) == set()


# A lost ledger


def lose(site: Site) -> None:
    for file in site.ledger.parent.glob("ledger.sqlite*"):
        file.unlink()


def test_a_rebuilt_ledger_restores_releases_and_shrinks_nothing_again(swept: Site, capsys: pytest.CaptureFixture[str]):
    before = {decision.place.path: decision for decision in swept.decisions()}
    lose(swept)
    assert swept.run("ledger", "rebuild") == 0
    assert "4 originals in the vault are known again" in capsys.readouterr().out
    after = {decision.place.path: decision for decision in swept.decisions()}
    for path, told in before.items():
        facts = ("reason", "rung", "quality", "bytes_before", "bytes_after", "sha256_before", "sha256_after", "label")
        facts += ("vault_entry", "release_at", "decided_at", "model", "keeper", "probability", "versions")
        assert {name: getattr(after[path], name) for name in facts} == {name: getattr(told, name) for name in facts}
    assert swept.run("ledger", "verify") == 0
    shrunk = swept.path("gate/1.jpg").read_bytes()
    assert swept.sweep().tally.reasons == {}
    assert swept.path("gate/1.jpg").read_bytes() == shrunk
    assert swept.run("restore", swept.path("")) == 0
    assert swept.restored() == set(ORIGINALS)


def test_a_released_picture_is_known_by_its_mark_and_its_copy_too(site: Site, tmp_path: Path):
    site.configure(days=0, floor_megabytes=0)
    site.sweep()
    assert site.run("release") == 0
    lose(site)
    assert site.run("ledger", "rebuild") == 0
    assert {decision.reason for decision in site.decisions()} == {Reason.ADOPTED}
    shutil.copyfile(site.path("gate/1.jpg"), site.path("gate/copy.jpg"))  # without the mark
    assert site.sweep().tally.reasons == {"already_shrunk": 1}


def test_a_moved_variant_is_known_where_it_is_now(swept: Site):
    swept.path("elsewhere").mkdir()
    swept.path("gate/1.jpg").rename(swept.path("elsewhere/moved.jpg"))
    shutil.copy2(swept.path("elsewhere/moved.jpg"), swept.path("gate/again.jpg"))
    lose(swept)
    assert swept.run("ledger", "rebuild") == 0
    (moved,), (again,) = swept.decisions("elsewhere/moved.jpg"), swept.decisions("gate/again.jpg")
    assert {moved.vault_entry, again.vault_entry} > {None}
    assert swept.sweep().tally.reasons == {}


def test_what_was_replaced_twice_keeps_both_originals(swept: Site):
    path, second = swept.path("gate/1.jpg"), photograph(9)
    path.unlink()
    path.write_bytes(second)
    assert swept.sweep().tally.replaced == 1
    lose(swept)
    assert swept.run("ledger", "rebuild") == 0
    assert len([decision for decision in swept.decisions("gate/1.jpg") if decision.vault_entry]) == 2
    assert swept.sweep().tally.reasons == {}
    assert swept.run("restore", path) == 0
    assert path.read_bytes() == second


def test_an_original_that_was_set_aside_without_a_ledger_comes_home(swept: Site):
    lose(swept)
    (entry,) = [
        d
        for d in [json.loads(p.read_text()) for p in (swept.own / "vault").glob("*.json")]
        if d["path"] == "gate/1.jpg"
    ]
    for name in (entry["vault_entry"], f"{entry['vault_entry']}.json"):
        (swept.own / "vault" / name).rename(swept.own / "strangers" / name)
    assert swept.run("ledger", "rebuild") == 0
    assert swept.run("restore", swept.path("gate/1.jpg")) == 0
    assert swept.restored() == {"gate/1.jpg"}


def test_a_ledger_that_is_there_is_not_overwritten(swept: Site, capsys: pytest.CaptureFixture[str]):
    assert swept.run("ledger", "rebuild") == 2
    assert "--force" in capsys.readouterr().err
    old = swept.decisions()
    assert swept.run("ledger", "rebuild", "--force") == 0
    with open_reader(f"sqlite:///{swept.ledger}.before-rebuild-1") as reader:
        assert list(reader.decisions(Wanted())) == old
    assert len(swept.decisions()) == len(ORIGINALS)
    assert swept.run("ledger", "rebuild", "--force") == 0
    assert Path(f"{swept.ledger}.before-rebuild-2").exists()


def test_beside_a_daemon_nothing_is_rebuilt(swept: Site):
    with opened(swept.config, Steadfast()):
        assert swept.run("ledger", "rebuild", "--force") == 11


def test_a_sidecar_that_does_not_help_is_told(swept: Site, capsys: pytest.CaptureFixture[str]):
    first, second, *_ = sorted((swept.own / "vault").glob("*.json"))
    first.write_text("{}")
    (swept.own / "vault" / second.stem).write_bytes(b"another size")
    lose(swept)
    assert swept.run("ledger", "rebuild") == 3
    out, err = capsys.readouterr()
    assert "2 originals in the vault are known again" in out
    assert f"{first.stem} has no sidecar that helps" in err
    assert f"{second.stem} has no sidecar that helps" in err
    assert first.exists()


# Deleted pictures


def test_the_original_of_a_deleted_picture_follows(swept: Site, capsys: pytest.CaptureFixture[str]):
    swept.path("gate/1.jpg").unlink()
    shutil.rmtree(swept.path("gate2"))
    assert swept.run("release", "--dry-run") == 0
    assert "of deleted pictures: 2 originals" in capsys.readouterr().out
    assert swept.run("release") == 0
    left = {decision.place.path for decision in swept.decisions() if decision.vault_entry}
    assert left == {"gate/2.jpg", STRANGE}
    assert len(swept.in_vault()) == 2 * len(left)
    (decision,) = swept.decisions("gate/1.jpg")
    assert decision.note == "its picture was deleted"
    assert decision.released_at is not None


def test_originals_stay_where_deletions_are_not_followed(swept: Site):
    swept.configure(follow_deletes=False)
    swept.path("gate/1.jpg").unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(ORIGINALS)


def test_a_moved_picture_was_not_deleted(swept: Site):
    swept.path("gate").rename(swept.path("moved"))
    swept.path("gate2/3.jpg").rename(swept.path("gate2/3.jpg.bak"))
    copied = swept.path(STRANGE).read_bytes()
    swept.path(STRANGE).unlink()
    swept.path("yard/copy.jpg").write_bytes(copied)  # without the mark
    assert NAME not in os.listxattr(swept.path("yard/copy.jpg"))
    swept.sweep()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(ORIGINALS)
    swept.path("yard/copy.jpg").unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * (len(ORIGINALS) - 1)


def test_what_a_camera_wrote_anew_was_not_deleted(swept: Site):
    swept.path("gate/1.jpg").unlink()
    swept.path("gate/1.jpg").write_bytes(photograph(9))
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(ORIGINALS)


def test_a_held_original_does_not_follow(swept: Site):
    assert swept.run("hold", "add", "--camera", "gate", "--reason", "a complaint") == 0
    swept.path("gate/1.jpg").unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(ORIGINALS)


# Free space


def test_below_the_floor_nothing_is_replaced_and_what_is_due_is_released(
    site: Site, capsys: pytest.CaptureFixture[str]
):
    site.configure(days=0, floor_megabytes=0)
    site.path("gate/1.jpg").rename(site.folder / "later.jpg")
    assert site.sweep().tally.replaced == len(ORIGINALS) - 1
    assert site.in_vault()
    (site.folder / "later.jpg").rename(site.path("gate/1.jpg"))
    site.configure(days=0, floor_megabytes=1e9)
    assert site.sweep().tally.reasons == {"no_space": 1}
    assert site.restored() == {"gate/1.jpg"}
    assert not site.in_vault()
    assert site.run("status", "--json") == 0
    (root,) = json.loads(capsys.readouterr().out.splitlines()[-1])["roots"]
    assert root["is_low"] is True
    site.configure(floor_megabytes=0)
    assert site.sweep().tally.replaced == 1


def test_vault_pressure_releases_nothing_that_is_not_due(swept: Site):
    swept.path("gate/new.jpg").write_bytes(photograph(9))
    swept.configure(floor_megabytes=1e9)
    assert swept.sweep().tally.reasons == {"no_space": 1}
    assert len(swept.in_vault()) == 2 * len(ORIGINALS)
    assert all(
        d.release_at and d.release_at > datetime.now(UTC) + timedelta(days=6)
        for d in swept.decisions()
        if d.vault_entry
    )
