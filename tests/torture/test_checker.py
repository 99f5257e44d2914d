"""The checker notices whatever may be wrong."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks.torture.diary import Diary
from benchmarks.torture.running import check_worth, checked
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import found

ORIGINAL = b"\xff\xd8 what the camera took \xff\xd9"
VARIANT = b"\xff\xd8 small \xff\xd9"
NEWER = b"\xff\xd8 taken later \xff\xd9"
PATH = "gate/1.jpg"
PLANNED, CONFIRMED, ABANDONED = 0, 1, 2


class Place:
    """A site with one delivered picture, and a ledger with no more than the checker asks for."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.path = site.root / PATH
        self.diary = Diary(site, "gate")
        self.diary.note(PATH, ORIGINAL)
        for folder in (site.own / "vault", site.own / "staged", site.own / "strangers", self.path.parent):
            folder.mkdir(parents=True)
        site.ledger.parent.mkdir()
        self.ledger = sqlite3.connect(site.ledger)
        self.ledger.execute("CREATE TABLE file (id INTEGER PRIMARY KEY, path BLOB)")
        self.ledger.execute(
            "CREATE TABLE decision (file_id, state, vault_entry BLOB, released_at, bytes_before, sha256_before BLOB,"
            " bytes_after, sha256_after BLOB, reason_id DEFAULT 1)"
        )
        self.ledger.execute("CREATE TABLE reason (id INTEGER PRIMARY KEY, word)")
        self.ledger.execute("INSERT INTO reason VALUES (1, 'qualified'), (2, 'breaker')")
        self.ledger.execute("INSERT INTO file VALUES (1, ?)", (os.fsencode(PATH),))
        self.ledger.commit()

    def row(self, state: int, entry: str = "entry", released_at: int | None = None) -> None:
        before, after = hashlib.sha256(ORIGINAL).digest(), hashlib.sha256(VARIANT).digest()
        values = (state, entry.encode(), released_at, len(ORIGINAL), before, len(VARIANT), after)
        self.ledger.execute("INSERT INTO decision VALUES (1, ?, ?, ?, ?, ?, ?, ?, 1)", values)
        self.ledger.commit()

    def keep(self, content: bytes, folder: str = "vault", entry: str = "entry") -> None:
        (self.site.own / folder / entry).write_bytes(content)

    def found(self, *, crashed: bool = False) -> dict[str, int]:
        return dict(checked(self.site, crashed=crashed).counts)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(Site(tmp_path / "site").make())
    yield made
    made.ledger.close()


def test_the_original_is_fine(place: Place):
    place.path.write_bytes(ORIGINAL)
    assert place.found() == {"original": 1}


def test_so_is_a_confirmed_variant_whose_original_is_in_the_vault(place: Place):
    place.path.write_bytes(VARIANT)
    place.keep(ORIGINAL)
    place.row(CONFIRMED)
    assert place.found() == {"variant": 1}


def test_a_run_in_which_the_breaker_opened_proves_nothing(place: Place):
    place.path.write_bytes(ORIGINAL)
    place.row(ABANDONED)
    place.ledger.execute("UPDATE decision SET sha256_after = NULL, vault_entry = NULL, reason_id = 2")
    place.ledger.commit()
    with pytest.raises(RuntimeError, match="the breaker stopped 1 replacements"):
        place.found()


@pytest.mark.parametrize(("variants", "is_worth"), [(0, False), (2, False), (3, True)])
def test_a_run_that_replaced_hardly_anything_proves_nothing(variants: int, is_worth: bool):
    verdict = found("trials", count=100) + found("original", count=100) + found("variant", count=variants)
    with nullcontext() if is_worth else pytest.raises(RuntimeError, match="nothing is proved"):
        check_worth(verdict)


def test_after_a_release_the_vault_need_not_hold_it(place: Place):
    place.path.write_bytes(VARIANT)
    place.row(CONFIRMED, released_at=1)
    place.ledger.execute("UPDATE decision SET vault_entry = NULL")
    place.ledger.commit()
    assert place.found() == {"variant": 1}


def test_a_plan_counts_only_after_a_crash(place: Place):
    place.path.write_bytes(VARIANT)
    place.keep(ORIGINAL, "staged")
    place.row(PLANNED)
    assert place.found(crashed=True) == {"variant": 1, "open_plans": 1}
    assert place.found() == {"damaged": 3}  # the path, the plan, what is left in staged


def test_an_abandoned_row_explains_nothing(place: Place):
    place.path.write_bytes(VARIANT)
    place.keep(ORIGINAL)
    place.row(ABANDONED)
    place.ledger.execute("UPDATE decision SET sha256_after = NULL, vault_entry = NULL")
    place.ledger.commit()
    assert place.found() == {"damaged": 1, "orphaned": 1}


def test_a_variant_without_its_original_is_a_loss(place: Place):
    place.path.write_bytes(VARIANT)
    place.row(CONFIRMED)
    assert place.found() == {"lost": 2}  # the path's picture, and the vault's entry


def test_a_wrong_original_in_the_vault_is_a_loss(place: Place):
    place.path.write_bytes(VARIANT)
    place.keep(NEWER)
    place.row(CONFIRMED)
    assert place.found()["lost"] == 2


def test_a_picture_that_is_gone_is_a_loss(place: Place):
    assert place.found() == {"lost": 1}


def test_a_picture_that_is_only_elsewhere_is_damage(place: Place):
    place.keep(ORIGINAL, "strangers")
    assert place.found() == {"damaged": 1, "set_aside": 1}


@pytest.mark.parametrize("length", [0, 5, len(ORIGINAL) - 1])
def test_half_a_picture_is_half_written(place: Place, length: int):
    place.path.write_bytes(ORIGINAL[:length])
    place.keep(ORIGINAL)
    assert place.found()["half_written"] == 1


def test_half_a_variant_is_half_written(place: Place):
    place.path.write_bytes(VARIANT[:-3])
    place.keep(ORIGINAL)
    place.row(CONFIRMED)
    assert place.found() == {"half_written": 1}


def test_an_older_picture_in_the_place_of_a_newer_one_is_damage(place: Place):
    place.path.write_bytes(ORIGINAL)
    place.diary.note(PATH, NEWER)
    place.keep(NEWER, "strangers")
    assert place.found() == {"damaged": 1, "set_aside": 1}


def test_what_was_appended_may_stand_behind_the_variant_or_in_the_vault(place: Place):
    place.diary.note(PATH, ORIGINAL + b"tail")
    place.path.write_bytes(VARIANT + b"tail")
    place.keep(ORIGINAL)
    place.row(CONFIRMED)
    assert place.found() == {"variant": 1}
    place.path.write_bytes(VARIANT)
    place.keep(ORIGINAL + b"tail")
    assert place.found() == {"late": 1}
    place.keep(ORIGINAL)
    assert place.found()["lost"] == 1


def test_a_deleted_picture_is_gone_or_as_it_was(place: Place):
    place.diary.note(PATH, None)
    assert place.found() == {"deleted": 1}
    place.path.write_bytes(ORIGINAL)
    assert place.found() == {"returned": 1}
    place.path.write_bytes(NEWER)
    assert place.found() == {"damaged": 1}


def test_a_stranger_that_nobody_delivered_is_damage(place: Place):
    place.path.write_bytes(ORIGINAL)
    place.keep(NEWER, "strangers")
    assert place.found() == {"original": 1, "damaged": 1}


def test_a_foreign_file_in_a_camera_folder_is_damage(place: Place):
    place.path.write_bytes(ORIGINAL)
    place.path.with_name("2.jpg").write_bytes(NEWER)
    assert place.found() == {"original": 1, "damaged": 1}


def test_it_leaves_the_ledger_as_the_crash_did(place: Place):
    place.ledger.execute("PRAGMA journal_mode=WAL")
    place.path.write_bytes(VARIANT)
    place.keep(ORIGINAL)
    place.row(CONFIRMED)
    log = place.site.ledger.with_name("ledger.sqlite-wal")
    before = log.read_bytes()
    assert place.found() == {"variant": 1}
    assert log.read_bytes() == before != b""
