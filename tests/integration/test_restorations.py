"""Every state that a crash can leave of a restoration has one outcome: the table of storage/restorations.py."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from framekeep.reasons import Kept
from storage import renameat2, vault
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.reading import read
from storage.records import Place, Restoration, VaultEntry
from storage.replacement import Swap, Unfinished, stage, swap_in
from storage.restorations import end_interrupted
from storage.root import Root

ORIGINAL, VARIANT, ENTRY = b"the camera's bytes", b"variant", "entry"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Crash:
    """A restoration that was begun, of which the ledger knows."""

    root: Root
    held: VaultEntry
    picture: Path
    begun: bool = True
    restored: list[tuple[int, FileIdentity, datetime]] = field(default_factory=list)

    @property
    def own(self) -> Path:
        return Path(self.root.path) / ".framekeep"

    def restorations(self) -> list[Restoration]:
        return [Restoration(self.held, NOON)] if self.begun else []

    def restore(self, decision: int, identity: FileIdentity, at: datetime) -> int:
        self.begun = False
        self.restored.append((decision, identity, at))
        return decision + 1

    def forgo(self, _decision: int) -> None:
        self.begun = False

    def link(self):
        os.link(self.own / "vault" / ENTRY, self.own / "staged" / ENTRY)

    def exchange(self):
        with self.root.folder_of(self.held.place.path) as place:
            renameat2.exchange(*place, self.root.staged, ENTRY)

    def files(self) -> dict[str, bytes]:
        found = (path for path in Path(self.root.path).rglob("*") if path.is_file())
        return {str(path.relative_to(self.root.path)): path.read_bytes() for path in found}

    def end(self) -> tuple[int, int]:
        done = end_interrupted(self, self.root)
        assert end_interrupted(self, self.root) == (0, 0)
        assert not list((self.own / "staged").iterdir())
        return done

    def is_restored(self) -> bool:
        """The original is at its path and nowhere else, and the ledger knows which file that is."""
        (told,) = self.restored
        return (
            self.files() == {"gate/1.jpg": ORIGINAL}
            and self.picture.stat().st_nlink == 1
            and told == (self.held.decision, FileIdentity.of(self.picture.stat()), NOON)
        )

    def is_held(self, at_path: bytes | None) -> bool:
        """The original is in the vault, with one name, and this is at the path."""
        files = self.files()
        kept = self.own / "vault" / ENTRY
        return (
            files.get("gate/1.jpg") == at_path
            and kept.read_bytes() == ORIGINAL
            and kept.stat().st_nlink == 1
            and not self.restored
        )


@pytest.fixture
def crash(tmp_path: Path) -> Iterator[Crash]:
    picture = tmp_path / "gate" / "1.jpg"
    picture.parent.mkdir()
    picture.write_bytes(ORIGINAL)
    hashes = [hashlib.sha256(data).digest() for data in (ORIGINAL, VARIANT)]
    with Root(str(tmp_path)) as root:
        swap = Swap("gate/1.jpg", read(root, "gate/1.jpg", 1000).identity, Mark(*hashes, ENTRY))
        stage(root, swap, VARIANT)
        swap_in(root, swap)
        held = VaultEntry(7, Place(root.path, "gate/1.jpg"), ENTRY, *hashes, len(ORIGINAL), len(VARIANT), NOON)
        yield Crash(root, held, picture)


def test_not_begun(crash: Crash):
    assert crash.end() == (0, 1)
    assert crash.is_held(VARIANT)


def test_linked_and_not_exchanged(crash: Crash):
    crash.link()
    assert crash.end() == (0, 1)
    assert crash.is_held(VARIANT)


def test_exchanged(crash: Crash):
    crash.link()
    crash.exchange()
    assert crash.end() == (1, 0)
    assert crash.is_restored()


def test_exchanged_and_the_variant_removed(crash: Crash):
    crash.link()
    crash.exchange()
    (crash.own / "staged" / ENTRY).unlink()
    assert crash.end() == (1, 0)
    assert crash.is_restored()


def test_all_done_but_for_the_row(crash: Crash):
    vault.restore(crash.root, crash.held)
    assert crash.end() == (1, 0)
    assert crash.is_restored()


def test_put_where_nothing_was(crash: Crash):
    crash.picture.unlink()
    crash.link()
    (crash.own / "staged" / ENTRY).rename(crash.picture)
    assert crash.end() == (1, 0)
    assert crash.is_restored()


def test_all_done_and_then_rewritten_by_a_camera(crash: Crash):
    vault.restore(crash.root, crash.held)
    crash.picture.unlink()
    crash.picture.write_bytes(b"newer")
    assert crash.end() == (1, 0)
    ((_, identity, _),) = crash.restored
    assert identity != FileIdentity.of(crash.picture.stat())


def test_a_stranger_came_out(crash: Crash):
    crash.link()
    crash.picture.write_bytes(b"a stranger")
    crash.exchange()
    assert crash.end() == (0, 1)
    assert crash.is_held(b"a stranger")


def test_exchanged_and_then_rewritten_by_a_camera(crash: Crash):
    crash.link()
    crash.exchange()
    crash.picture.unlink()
    crash.picture.write_bytes(b"newer")
    assert crash.end() == (0, 1)
    assert crash.is_held(b"newer")


def test_a_stranger_came_out_and_something_newer_came(crash: Crash):
    crash.link()
    crash.picture.write_bytes(b"a stranger")
    crash.exchange()
    crash.picture.unlink()
    crash.picture.write_bytes(b"newer")
    assert crash.end() == (0, 1)
    assert crash.is_held(b"newer")
    assert (crash.own / "strangers" / ENTRY).read_bytes() == b"a stranger"


def test_the_original_was_taken_away(crash: Crash):
    (crash.own / "vault" / ENTRY).unlink()
    assert crash.end() == (0, 1)
    assert crash.files() == {"gate/1.jpg": VARIANT}


def test_the_folder_is_gone(crash: Crash):
    crash.link()
    crash.picture.unlink()
    crash.picture.parent.rmdir()
    assert crash.end() == (0, 1)
    assert crash.is_held(None)


def test_restorations_of_other_roots_are_left_alone(crash: Crash, tmp_path_factory: pytest.TempPathFactory):
    with Root(str(tmp_path_factory.mktemp("other"))) as other:
        assert end_interrupted(crash, other) == (0, 0)
    assert crash.begun


# Races: what a camera does between the real exchange and the look at what came out.


def renamed_over(picture: Path):
    fresh = picture.with_name("fresh")
    fresh.write_bytes(b"newest")
    fresh.rename(picture)


@pytest.fixture
def around_the_exchange(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None], Callable[[], None]], None]:
    """Has a camera act before and after the first exchange: where the kernel may schedule it."""

    def arrange(before: Callable[[], None], after: Callable[[], None]) -> None:
        exchange, actions = renameat2.exchange, iter([(before, after)])

        def exchanged(*places):
            first, then = next(actions, (lambda: None, lambda: None))
            first()
            exchange(*places)
            then()

        monkeypatch.setattr(renameat2, "exchange", exchanged)

    return arrange


def test_a_picture_that_arrives_just_before_the_exchange_stays(crash: Crash, around_the_exchange):
    around_the_exchange(lambda: renamed_over(crash.picture), lambda: None)
    with pytest.raises(Kept, match="move it away first"):
        vault.restore(crash.root, crash.held)
    assert crash.is_held(b"newest")


def test_pictures_that_arrive_before_and_after_the_exchange_are_kept_both(crash: Crash, around_the_exchange):
    around_the_exchange(lambda: renamed_over(crash.picture), lambda: renamed_over(crash.picture))
    with pytest.raises(Kept):
        vault.restore(crash.root, crash.held)
    assert crash.is_held(b"newest")
    assert (crash.own / "strangers" / ENTRY).read_bytes() == b"newest"


def test_somebody_who_has_the_variant_open_for_writing_is_not_robbed_of_it(crash: Crash):
    with crash.picture.open("ab"), pytest.raises(Kept, match="open for writing"):
        vault.restore(crash.root, crash.held)
    assert crash.is_held(VARIANT)


def test_a_failure_after_the_exchange_is_ended_later(crash: Crash, monkeypatch: pytest.MonkeyPatch):
    fsync, failures = os.fsync, iter([OSError(5, "Input/output error")])

    def failing(descriptor):
        if error := next(failures, None):
            raise error
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(Unfinished):
        vault.restore(crash.root, crash.held)
    assert crash.end() == (1, 0)
    assert crash.is_restored()
