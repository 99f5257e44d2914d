"""Originals in the vault: restored bit for bit, released, never exchanged with a stranger."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from framekeep.reasons import Kept, Reason
from storage import vault
from storage.attribute import Mark
from storage.reading import read
from storage.records import Place, VaultEntry
from storage.replacement import Swap, stage, swap_in
from storage.root import Root

ORIGINAL = b"the camera's bytes"
VARIANT = b"variant"
ENTRY = "entry"


@pytest.fixture
def replaced(tmp_path: Path):
    """A root whose one picture has been replaced."""
    picture = tmp_path / "gate" / "1.jpg"
    picture.parent.mkdir()
    picture.write_bytes(ORIGINAL)
    hashes = [hashlib.sha256(data).digest() for data in (ORIGINAL, VARIANT)]
    with Root(str(tmp_path)) as root:
        swap = Swap("gate/1.jpg", read(root, "gate/1.jpg", 1000).identity, Mark(*hashes, ENTRY))
        stage(root, swap, VARIANT)
        swap_in(root, swap)
        held = VaultEntry(
            1, Place(root.path, "gate/1.jpg"), ENTRY, *hashes, len(ORIGINAL), len(VARIANT), datetime.now(UTC)
        )
        yield root, held, picture, swap


def test_restoring_puts_the_very_file_back(replaced):
    root, held, picture, swap = replaced
    identity = vault.restore(root, held)
    assert picture.read_bytes() == ORIGINAL
    assert identity.same_content_as(swap.read)
    assert identity.ctime_ns == picture.stat().st_ctime_ns
    assert not list((Path(root.path) / ".framekeep" / "vault").iterdir())


def test_restoring_a_deleted_picture(replaced):
    root, held, picture, _ = replaced
    picture.unlink()
    vault.restore(root, held)
    assert picture.read_bytes() == ORIGINAL


def test_a_stranger_at_the_path_is_not_overwritten(replaced):
    root, held, picture, _ = replaced
    picture.write_bytes(b"somebody's new picture")
    with pytest.raises(Kept, match="move it away first"):
        vault.restore(root, held)
    assert picture.read_bytes() == b"somebody's new picture"
    assert vault.original_of(root, held) == ORIGINAL


def test_a_damaged_entry_is_not_restored(replaced):
    root, held, picture, _ = replaced
    (Path(root.path) / ".framekeep" / "vault" / ENTRY).write_bytes(b"damaged")
    with pytest.raises(Kept) as kept:
        vault.restore(root, held)
    assert kept.value.reason is Reason.DAMAGED
    assert picture.read_bytes() == VARIANT


def test_a_missing_entry_is_told(replaced):
    root, held, picture, _ = replaced
    (Path(root.path) / ".framekeep" / "vault" / ENTRY).unlink()
    with pytest.raises(Kept) as kept:
        vault.restore(root, held)
    assert kept.value.reason is Reason.GONE
    assert picture.read_bytes() == VARIANT


def test_releasing_twice_is_no_error(replaced):
    root, held, picture, _ = replaced
    vault.release(root, held)
    vault.release(root, held)
    assert picture.read_bytes() == VARIANT
    with pytest.raises(Kept):
        vault.original_of(root, held)
