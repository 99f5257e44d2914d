"""The vault as an administrator knows it: batches of restorations, also interrupted ones and beside a release."""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from daemon.releasing import Vaults, release_due
from daemon.restoring import restorable, restore_all
from framekeep.reasons import Reason
from storage.holds import HoldBook
from storage.ledger.answers import Held
from storage.ledger.opening import open_reader, open_writer
from storage.root import Root

STRANGE = os.fsdecode(b"yard/n\xe4chtlich.jpg")
EVERY = {"gate/1.jpg", "gate/2.jpg", "gate2/3.jpg", STRANGE}


def test_the_vault_holds_each_original_with_its_sidecar(swept):
    entries = {decision.vault_entry or "" for decision in swept.decisions()}
    assert swept.in_vault() == entries | {f"{entry}.json" for entry in entries}
    assert not list((swept.own / "staged").iterdir())


@pytest.mark.parametrize(
    ("asked", "restored"),
    [
        (["incoming/gate"], {"gate/1.jpg", "gate/2.jpg"}),
        (["incoming/gate/2.jpg", "incoming/gate2"], {"gate/2.jpg", "gate2/3.jpg"}),
        (["incoming"], EVERY),
        (["--camera", "yard"], {STRANGE}),
        (["--since", "1d"], EVERY),
        (["incoming/gate", "--since", "1d", "--camera", "gate"], {"gate/1.jpg", "gate/2.jpg"}),
        (["--until", "1d"], set()),
    ],
)
def test_what_is_asked_for_is_restored(swept, asked, restored, monkeypatch):
    monkeypatch.chdir(swept.folder)
    assert swept.run("restore", *asked, "--dry-run") == 0
    assert swept.restored() == set()
    assert swept.run("restore", *asked) == 0
    assert swept.restored() == restored
    assert len(swept.in_vault()) == 2 * (len(swept.originals) - len(restored))
    assert swept.sweep().tally.replaced == 0
    assert swept.restored() == restored


def test_one_decision_is_restored(swept):
    (decision,) = swept.decisions("gate/2.jpg")
    assert swept.run("restore", "--decision", str(decision.number)) == 0
    assert swept.restored() == {"gate/2.jpg"}


def test_a_restored_picture_has_its_times_mode_and_attributes(filled):
    path = filled.path("gate/1.jpg")
    path.chmod(0o640)
    os.setxattr(path, "user.note", b"kept")
    os.utime(path, ns=(1_500_000_000_123456789, 1_600_000_000_987654321))
    before = path.stat()
    filled.sweep()
    assert path.stat().st_ino != before.st_ino
    assert filled.run("restore", path) == 0
    after = path.stat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert (after.st_nlink, os.listxattr(path), os.getxattr(path, "user.note")) == (1, ["user.note"], b"kept")


def test_a_folder_that_is_gone_is_named_and_nothing_is_lost(swept, capsys):
    gone = swept.path("gate")
    shutil.rmtree(gone)
    capsys.readouterr()
    assert swept.run("restore", gone) == 3
    told = capsys.readouterr().err
    assert told.count(f"its folder {gone} cannot be entered (No such file or directory): make it or") == 2
    gone.mkdir()
    assert swept.run("restore", gone) == 0
    assert swept.restored() == {"gate/1.jpg", "gate/2.jpg"}


def test_nothing_named_is_nothing_restored(swept, capsys):
    assert swept.run("restore") == 2
    assert "name what to restore" in capsys.readouterr().err
    assert swept.run("restore", swept.path("nowhere")) == 3
    assert "holds no original" in capsys.readouterr().err
    assert swept.restored() == set()


def test_an_interrupted_restoration_is_ended_by_the_next_command(swept):
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


def test_a_restore_and_a_release_at_once_lose_nothing(filled, photograph):
    filled.configure(vault={"days": 0, "floor_megabytes": 0})
    for number in range(12):
        filled.path(f"gate/more{number}.jpg").write_bytes(photograph(100 + number))
    filled.sweep()
    variants = {path: path.read_bytes() for path in filled.path("").rglob("*.jpg")}
    originals = {decision.place.path: decision.sha256_before for decision in filled.decisions()}
    config = filled.config

    def restore() -> None:
        list(restore_all(config, restorable(config, Held())))

    def release() -> None:
        with open_writer(config.ledger.url) as writer, open_reader(config.ledger.url) as reader, Root(root) as opened:
            release_due(writer, Vaults({root: opened}, HoldBook(reader, config.holds.rules)), datetime.now(UTC))

    root = str(filled.path(""))
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work) for work in (restore, release)]:
            done.result()
    assert not filled.in_vault()
    newest = {decision.place.path: decision for decision in reversed(filled.decisions())}
    for path, variant in variants.items():
        decision = newest[str(path.relative_to(root))]
        is_back = hashlib.sha256(path.read_bytes()).hexdigest() == originals[decision.place.path]
        assert is_back == (decision.reason is Reason.RESTORED)
        assert is_back or (path.read_bytes() == variant and decision.released_at)
        assert path.stat().st_nlink == 1


def test_what_is_being_restored_is_recognised_before_it_is_done(swept):
    (decision,) = swept.decisions("gate/1.jpg")
    content = bytes.fromhex(decision.sha256_before or "")
    with open_writer(swept.config.ledger.url) as writer:
        assert writer.restored([content]) == set()
        writer.begin_restoration(decision.number, datetime.now(UTC))
        assert writer.restored([content]) == {content}
        writer.forgo(decision.number)
        assert writer.restored([content]) == set()
