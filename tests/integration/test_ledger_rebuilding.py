"""A lost ledger is made anew, from the vault and from the marks on pictures."""

import hashlib
import json
import shutil
from pathlib import Path

from daemon.checks.check import State
from daemon.checks.ledger import check_ledger
from daemon.house import opened
from framekeep.reasons import Reason
from storage.ledger.answers import Wanted
from storage.ledger.opening import open_reader


def lose(site):
    for file in site.ledger.parent.glob("ledger.sqlite*"):
        file.unlink()


def test_a_rebuilt_ledger_restores_releases_and_shrinks_nothing_again(swept, capsys):
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
    assert swept.restored() == set(swept.originals)


def test_no_new_ledger_takes_a_lost_one_s_place_by_itself(swept, capsys):
    assert swept.run("restore", swept.path("gate/1.jpg")) == 0
    lose(swept)
    for command in ("sweep", "run", "report"):
        capsys.readouterr()
        assert swept.run(command) == 13
        assert "framekeep ledger rebuild" in "".join(capsys.readouterr()).replace("\n", " ")
    assert swept.run("hold", "add", "--camera", "gate", "--reason", "case 7") == 13
    told = check_ledger(swept.config.ledger.url, swept.config.watch.roots)
    assert (told.state, "framekeep ledger rebuild" in told.sentence) == (State.FAULT, True)
    assert not swept.ledger.exists()
    assert swept.path("gate/1.jpg").read_bytes() == swept.originals["gate/1.jpg"]
    assert swept.run("ledger", "rebuild") == 0
    assert swept.run("sweep") == 0


def test_a_hold_elsewhere_or_an_empty_file_takes_its_place_no_more(swept, tmp_path):
    other = swept.folder / "other"
    other.mkdir()
    swept.configure(watch={"roots": [str(swept.root), str(other)]}, vault={"floor_megabytes": 0})
    lose(swept)
    assert swept.run("hold", "add", "--root", other, "--camera", "yard", "--reason", "case 7") == 13
    assert swept.run("sweep") == 13
    assert not list(other.iterdir())  # it may be an empty mount point
    swept.ledger.touch()
    assert swept.run("sweep") == 13
    assert swept.run("ledger", "rebuild", "--force") == 0
    assert swept.run("sweep") == 0


def test_a_rebuild_makes_no_vault_where_a_disk_is_not_mounted(swept):
    (swept.own / "vault").rename(swept.folder / "away")
    assert swept.run("ledger", "rebuild", "--force") == 10
    assert not (swept.own / "vault").exists()


def test_a_released_picture_is_known_by_its_mark_and_its_copy_too(filled, tmp_path):
    filled.configure(vault={"days": 0, "floor_megabytes": 0})
    filled.sweep()
    assert filled.run("release") == 0
    lose(filled)
    assert filled.run("ledger", "rebuild") == 0
    assert {decision.reason for decision in filled.decisions()} == {Reason.ADOPTED}
    shutil.copyfile(filled.path("gate/1.jpg"), filled.path("gate/copy.jpg"))  # without the mark
    assert filled.sweep().tally.reasons == {"already_shrunk": 1}


def test_a_moved_variant_is_known_where_it_is_now(swept):
    swept.path("elsewhere").mkdir()
    swept.path("gate/1.jpg").rename(swept.path("elsewhere/moved.jpg"))
    shutil.copy2(swept.path("elsewhere/moved.jpg"), swept.path("gate/again.jpg"))
    lose(swept)
    assert swept.run("ledger", "rebuild") == 0
    (moved,), (again,) = swept.decisions("elsewhere/moved.jpg"), swept.decisions("gate/again.jpg")
    assert {moved.vault_entry, again.vault_entry} > {None}
    assert swept.sweep().tally.reasons == {}


def test_what_was_replaced_twice_keeps_both_originals(swept, photograph):
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


def test_a_path_s_last_decision_is_the_one_whose_file_stands_there(swept, photograph):
    """Its original was released, and the vault holds that of an earlier picture at the same path."""
    path = swept.path("gate/1.jpg")
    swept.configure(vault={"days": 0, "floor_megabytes": 0})
    path.unlink()
    path.write_bytes(photograph(9))
    assert swept.sweep().tally.replaced == 1
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(swept.originals)
    lose(swept)
    assert swept.run("ledger", "rebuild") == 0
    last, earlier = swept.decisions("gate/1.jpg")
    assert (last.reason, last.sha256_after) == (Reason.ADOPTED, hashlib.sha256(path.read_bytes()).hexdigest())
    assert earlier.vault_entry
    assert swept.sweep().tally.reasons == {}
    assert swept.run("verify") == 0


def test_an_original_that_was_set_aside_without_a_ledger_comes_home(swept):
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


def test_it_comes_home_from_under_a_number_too(swept):
    """Something else was set aside under its name before."""
    lose(swept)
    told = [(sidecar, json.loads(sidecar.read_text())) for sidecar in (swept.own / "vault").glob("*.json")]
    ((sidecar, entry),) = [(sidecar, one["vault_entry"]) for sidecar, one in told if one["path"] == "gate/1.jpg"]
    (swept.own / "strangers" / entry).write_bytes(b"a stranger")
    sidecar.with_suffix("").rename(swept.own / "strangers" / f"{entry}-2")
    sidecar.rename(swept.own / "strangers" / f"{entry}-2.json")
    assert swept.run("ledger", "rebuild") == 0
    assert swept.run("restore", swept.path("gate/1.jpg")) == 0
    assert swept.restored() == {"gate/1.jpg"}
    assert [path.name for path in (swept.own / "strangers").iterdir()] == [entry]


def test_a_ledger_that_is_there_is_not_overwritten(swept, capsys):
    assert swept.run("ledger", "rebuild") == 2
    assert "--force" in capsys.readouterr().err
    old = swept.decisions()
    assert swept.run("ledger", "rebuild", "--force") == 0
    with open_reader(f"sqlite:///{swept.ledger}.before-rebuild-1") as reader:
        assert list(reader.decisions(Wanted())) == old
    assert len(swept.decisions()) == len(swept.originals)
    assert swept.run("ledger", "rebuild", "--force") == 0
    assert Path(f"{swept.ledger}.before-rebuild-2").exists()


def test_beside_a_daemon_nothing_is_rebuilt(swept, steadfast):
    with opened(swept.config, steadfast()):
        assert swept.run("ledger", "rebuild", "--force") == 11


def test_a_sidecar_that_does_not_help_is_told(swept, capsys):
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
