"""What leaves the vault before its time and what does not: originals of deleted pictures, and a full disk."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta

from storage.attribute import NAME


def test_the_original_of_a_deleted_picture_follows(swept, capsys):
    swept.path("gate/1.jpg").unlink()
    shutil.rmtree(swept.path("gate2"))
    assert swept.run("release", "--dry-run") == 0
    assert "of deleted pictures: 2 originals" in capsys.readouterr().out
    assert swept.run("release") == 0
    left = {decision.place.path for decision in swept.decisions() if decision.vault_entry}
    assert left == swept.originals.keys() - {"gate/1.jpg", "gate2/3.jpg"}
    assert len(swept.in_vault()) == 2 * len(left)
    (decision,) = swept.decisions("gate/1.jpg")
    assert decision.note == "its picture was deleted"
    assert decision.released_at is not None


def test_originals_stay_where_deletions_are_not_followed(swept):
    swept.configure(vault={"follow_deletes": False})
    swept.path("gate/1.jpg").unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(swept.originals)


def test_a_moved_picture_was_not_deleted(swept):
    swept.path("gate").rename(swept.path("moved"))
    swept.path("gate2/3.jpg").rename(swept.path("gate2/3.jpg.bak"))
    (picture,) = swept.path("yard").iterdir()
    copied = picture.read_bytes()
    picture.unlink()
    swept.path("yard/copy.jpg").write_bytes(copied)  # without the mark
    assert NAME not in os.listxattr(swept.path("yard/copy.jpg"))
    swept.sweep()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(swept.originals)
    swept.path("yard/copy.jpg").unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * (len(swept.originals) - 1)


def test_a_moved_picture_without_its_mark_was_not_deleted(swept):
    """As on filesystems that keep no attributes, and before any rescan has seen where it is now."""
    moved = swept.path("gate/1.jpg").rename(swept.path("yard/elsewhere.jpg"))
    os.removexattr(moved, NAME)
    before = swept.in_vault()
    assert swept.run("release") == 0
    assert swept.in_vault() == before
    moved.unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == len(before) - 2


def test_what_a_camera_wrote_anew_was_not_deleted(swept, photograph):
    swept.path("gate/1.jpg").unlink()
    swept.path("gate/1.jpg").write_bytes(photograph(9))
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(swept.originals)


def test_a_held_original_does_not_follow(swept):
    assert swept.run("hold", "add", "--camera", "gate", "--reason", "a complaint") == 0
    swept.path("gate/1.jpg").unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(swept.originals)


def test_below_the_floor_nothing_is_replaced_and_what_is_due_is_released(filled, capsys):
    filled.configure(vault={"days": 0, "floor_megabytes": 0})
    filled.path("gate/1.jpg").rename(filled.folder / "later.jpg")
    assert filled.sweep().tally.replaced == len(filled.originals) - 1
    assert filled.in_vault()
    (filled.folder / "later.jpg").rename(filled.path("gate/1.jpg"))
    filled.configure(vault={"days": 0, "floor_megabytes": 1e9})
    assert filled.sweep().tally.reasons == {"no_space": 1}
    assert filled.restored() == {"gate/1.jpg"}
    assert not filled.in_vault()
    assert filled.run("status", "--json") == 0
    (root,) = json.loads(capsys.readouterr().out.splitlines()[-1])["roots"]
    assert root["is_low"] is True
    filled.configure(vault={"floor_megabytes": 0})
    assert filled.sweep().tally.replaced == 1


def test_vault_pressure_releases_nothing_that_is_not_due(swept, photograph):
    swept.path("gate/new.jpg").write_bytes(photograph(9))
    swept.configure(vault={"floor_megabytes": 1e9})
    assert swept.sweep().tally.reasons == {"no_space": 1}
    assert len(swept.in_vault()) == 2 * len(swept.originals)
    assert all(
        d.release_at and d.release_at > datetime.now(UTC) + timedelta(days=6)
        for d in swept.decisions()
        if d.vault_entry
    )
