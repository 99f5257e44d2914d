"""What happens at the path in the last instant before the exchange, and right behind it."""

import errno
import fcntl
import hashlib
import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from framekeep.reasons import Kept, Reason
from storage import lease, renameat2
from storage.attribute import Mark
from storage.reading import read
from storage.replacement import Swap, stage, swap_in
from storage.root import Root

ORIGINAL, VARIANT, ENTRY = b"the camera's bytes", b"variant", "entry"


@dataclass(frozen=True)
class Scene:
    """A root with a picture whose variant is staged."""

    root: Root
    picture: Path
    swap: Swap

    @property
    def variant(self) -> Path:
        return Path(self.root.path) / ".framekeep" / "staged" / ENTRY

    def files(self) -> dict[str, bytes]:
        files = (path for path in Path(self.root.path).rglob("*") if path.is_file() and path.name != "lock")
        return {str(path.relative_to(self.root.path)): path.read_bytes() for path in files}


@pytest.fixture
def scene(tmp_path: Path):
    picture = tmp_path / "gate" / "1.jpg"
    picture.parent.mkdir()
    picture.write_bytes(ORIGINAL)
    with Root(str(tmp_path)) as root:
        mark = Mark(hashlib.sha256(ORIGINAL).digest(), hashlib.sha256(VARIANT).digest(), ENTRY)
        scene = Scene(root, picture, Swap("gate/1.jpg", read(root, "gate/1.jpg", 1000).identity, mark))
        stage(root, scene.swap, VARIANT)
        yield scene


@pytest.fixture
def around_the_exchange(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has a camera act where the kernel may schedule it: just before the real exchange, or just behind it."""

    def arrange(before: Callable[[], object] = int, behind: Callable[[], object] = int) -> None:
        exchange, turns = renameat2.exchange, itertools.chain([(before, behind)], itertools.repeat((int, int)))

        def exchanged(*places):
            first, last = next(turns)
            first()
            exchange(*places)
            last()

        monkeypatch.setattr(renameat2, "exchange", exchanged)

    return arrange


@pytest.fixture
def no_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a filesystem that has none, or for a user who may not lease: nobody is kept from writing in place."""

    def refused(*_: object) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(lease.fcntl, "fcntl", refused)
    with pytest.raises(OSError, match="Invalid"):
        fcntl.fcntl(0, fcntl.F_SETLEASE, fcntl.F_RDLCK)


def appended(picture: Path):
    with picture.open("ab") as file:
        file.write(b"more")


def renamed_over_by_the_same_bytes(picture: Path):
    fresh = picture.with_name("fresh")
    status = picture.stat()
    fresh.write_bytes(ORIGINAL)
    os.utime(fresh, ns=(status.st_atime_ns, status.st_mtime_ns))
    fresh.rename(picture)


def same_size_and_time(picture: Path):
    status = picture.stat()
    picture.write_bytes(b"x" * len(ORIGINAL))
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns))


def linked(picture: Path):
    picture.with_name("other").hardlink_to(picture)


def turned_into_a_link(picture: Path):
    target = picture.with_name("target")
    picture.rename(target)
    picture.symlink_to(target)


def turned_into_a_folder(picture: Path):
    picture.unlink()
    picture.mkdir()
    (picture / "inside.jpg").write_bytes(b"inside")


def made_private(picture: Path):
    picture.chmod(0o600 if picture.stat().st_mode & 0o077 else 0o644)


CHANGES = [
    *(appended, renamed_over_by_the_same_bytes, same_size_and_time, linked),
    *(turned_into_a_link, turned_into_a_folder, made_private),
]


@pytest.mark.usefixtures("no_leases")
@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_in_the_last_instant_goes_back_to_its_path(scene: Scene, around_the_exchange, change):
    expected: dict[str, bytes] = {}

    def camera():
        change(scene.picture)
        expected.update(scene.files(), status=scene.picture.lstat())

    around_the_exchange(before=camera)
    with pytest.raises(Kept) as kept:
        swap_in(scene.root, scene.swap)
    assert kept.value.reason is Reason.UNSETTLED
    before, after = expected.pop("status"), scene.picture.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert expected.pop(f".framekeep/staged/{ENTRY}") == VARIANT
    assert scene.files() == expected


@pytest.mark.parametrize("change", [linked, made_private])
def test_what_changes_no_byte_is_noticed_before_the_exchange(scene: Scene, around_the_exchange, change):
    def exchange():
        raise AssertionError

    change(scene.picture)
    around_the_exchange(before=exchange)
    with pytest.raises(Kept) as kept:
        swap_in(scene.root, scene.swap)
    assert kept.value.reason in (Reason.UNSETTLED, Reason.HARD_LINKED)
    assert not scene.variant.exists()


@pytest.mark.usefixtures("no_leases")
def test_a_newer_file_that_got_the_variants_inode_number_is_not_taken_for_it(scene: Scene, around_the_exchange):
    """ext4 gives the number of a deleted file to the next that is created; the variant's must not go round so."""
    variant = scene.variant.stat().st_ino

    def camera():
        scene.picture.unlink()
        fresh = [scene.picture.with_name(f"{number}.jpg") for number in range(100)]
        for path in fresh:
            path.write_bytes(b"the newest picture")
        next((path for path in fresh if path.stat().st_ino == variant), fresh[0]).rename(scene.picture)

    around_the_exchange(before=lambda: appended(scene.picture), behind=camera)
    with pytest.raises(Kept):
        swap_in(scene.root, scene.swap)
    assert scene.picture.read_bytes() == b"the newest picture"
    assert scene.files()[f".framekeep/strangers/{ENTRY}"] == ORIGINAL + b"more"
    assert not scene.variant.exists()


def test_who_waits_to_write_the_original_finds_it_at_its_path(scene: Scene, around_the_exchange):
    """He opened the path before the exchange, and the lease made him wait: what he writes must not go to the vault."""
    writer = threading.Thread(target=appended, args=[scene.picture])

    def camera():
        writer.start()
        give_up = time.monotonic() + 30  # the kernel breaks a lease after 45
        while "BREAKING" not in Path("/proc/locks").read_text():
            assert time.monotonic() < give_up

    around_the_exchange(before=camera)
    with pytest.raises(Kept):
        swap_in(scene.root, scene.swap)
    writer.join()
    assert scene.files() == {"gate/1.jpg": ORIGINAL + b"more"}
