"""Replacing and restoring in two steps, with a kernel that refuses what exFAT and NFS refuse."""

import errno
import hashlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.torture.refusing import on, possible
from framekeep.reasons import Kept, Reason
from storage import lease, racy, renameat2, sidecar, vault
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.reading import read
from storage.records import Draft, Place, Settings, VaultEntry
from storage.replacement import Swap, Unfinished, stage
from storage.root import Root

pytestmark = pytest.mark.skipif(not possible(), reason="this machine has no seccomp")

ORIGINAL, VARIANT, NEWEST, ENTRY = b"the camera's bytes", b"variant", b"newest", "e" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", progressive=True, model="none", model_digest="")


@dataclass(frozen=True)
class Scene:
    """A root with a picture whose variant is staged, on a filesystem that does not exchange."""

    filesystem: str
    root: Root
    picture: Path
    swap: Swap

    @property
    def held(self) -> VaultEntry:
        mark, place = self.swap.mark, Place(self.root.path, self.swap.path)
        return VaultEntry(7, place, ENTRY, mark.original, mark.variant, len(ORIGINAL), len(VARIANT), NOON)

    def swap_in(self) -> FileIdentity:
        return on(self.filesystem, lambda: racy.swap_in(self.root, self.swap))

    def restore(self) -> FileIdentity:
        return on(self.filesystem, lambda: racy.restore(self.root, self.held))

    def files(self) -> dict[str, bytes]:
        """All but sidecars."""
        files = (path for path in Path(self.root.path).rglob("*") if path.is_file() and path.suffix != ".json")
        return {str(path.relative_to(self.root.path)): path.read_bytes() for path in files}

    def sidecars(self) -> list[str]:
        return [path.parent.name for path in (Path(self.root.path) / ".framekeep").rglob("*.json")]


@pytest.fixture(params=["exfat", "nfs"])
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    picture = tmp_path / "gate" / "1.jpg"
    picture.parent.mkdir()
    picture.write_bytes(ORIGINAL)
    picture.chmod(0o640)
    os.utime(picture, ns=(1_500_000_000_123456789, 1_600_000_000_987654321))
    if os.geteuid() == 0:
        os.chown(picture, 4321, 8765)
    with Root(str(tmp_path)) as root:
        identity = read(root, "gate/1.jpg", 1000).identity
        mark = Mark(hashlib.sha256(ORIGINAL).digest(), hashlib.sha256(VARIANT).digest(), ENTRY)
        swap = Swap("gate/1.jpg", identity, mark)
        place = Place(root.path, swap.path)
        sidecar.stage(root, Draft(place, SETTINGS, Reason.QUALIFIED, identity, NOON, vault_entry=ENTRY))
        on(request.param, lambda: stage(root, swap, VARIANT))
        yield Scene(request.param, root, picture, swap)


Act = Callable[[Path], object]
Arrange = Callable[..., None]


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> Arrange:
    """Has somebody act where the kernel may schedule him: before the file comes out, while nothing is there, behind."""

    def arrange(before: Act = lambda _: None, between: Act = lambda _: None) -> None:
        take, acts = renameat2.take, itertools.chain([(before, between)], itertools.repeat((id, id)))

        def taken(folder: int, name: str, own: int, entry: str) -> None:
            if name != scene.picture.name:
                take(folder, name, own, entry)
                return
            first, then = next(acts)
            first(scene.picture)
            take(folder, name, own, entry)
            then(scene.picture)

        monkeypatch.setattr(renameat2, "take", taken)

    return arrange


@pytest.fixture
def no_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(lease.fcntl, "fcntl", refused)


# Swaps.


def test_the_variant_takes_the_path_and_the_very_inode_goes_to_the_vault(scene: Scene):
    before = scene.picture.stat()
    identity = scene.swap_in()
    after = scene.picture.stat()
    assert scene.files() == {"gate/1.jpg": VARIANT, f".framekeep/vault/{ENTRY}": ORIGINAL}
    assert scene.sidecars() == ["vault"]
    assert (Path(scene.root.path) / ".framekeep" / "vault" / ENTRY).stat().st_ino == before.st_ino
    assert identity == FileIdentity.of(after)
    assert after.st_nlink == 1
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert after.st_mtime_ns == before.st_mtime_ns


def appended(picture: Path) -> None:
    with picture.open("ab") as file:
        file.write(b"more")


def renamed_over(picture: Path) -> None:
    fresh = picture.with_name("fresh")
    fresh.write_bytes(NEWEST)
    fresh.rename(picture)


def same_size_and_time(picture: Path) -> None:
    status = picture.stat()
    picture.write_bytes(b"x" * len(ORIGINAL))
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns))


def linked(picture: Path) -> None:
    os.link(picture, picture.with_name("other"))


def turned_into_a_link(picture: Path) -> None:
    target = picture.with_name("target")
    picture.rename(target)
    picture.symlink_to(target)


def turned_into_a_folder(picture: Path) -> None:
    picture.unlink(missing_ok=True)
    picture.mkdir()
    (picture / "inside.jpg").write_bytes(b"inside")


def made_private(picture: Path) -> None:
    picture.chmod(0o600)


CHANGES = [
    *(appended, renamed_over, same_size_and_time, linked),
    *(turned_into_a_link, turned_into_a_folder, made_private),
]


@pytest.mark.usefixtures("no_leases")
@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_in_the_last_instant_goes_back_to_its_path(scene: Scene, around: Arrange, change: Act):
    expected: dict[str, bytes] = {}
    statuses: list[os.stat_result] = []

    def camera(picture: Path) -> None:
        change(picture)
        expected.update(scene.files())
        statuses.append(picture.lstat())

    around(before=camera)
    with pytest.raises(Kept) as kept:
        scene.swap_in()
    assert kept.value.reason is Reason.UNSETTLED
    after = scene.picture.lstat()
    assert (after.st_ino, after.st_mode, after.st_nlink) == (
        statuses[0].st_ino,
        statuses[0].st_mode,
        statuses[0].st_nlink,
    )
    assert expected.pop(f".framekeep/staged/{ENTRY}") == VARIANT
    assert scene.files() == expected


@pytest.mark.parametrize("change", [renamed_over, turned_into_a_folder, lambda path: path.symlink_to("elsewhere")])
def test_what_arrives_while_nothing_is_there_stays_and_the_original_is_set_aside(
    scene: Scene, around: Arrange, change: Act
):
    around(between=change)
    with pytest.raises(Kept) as kept:
        scene.swap_in()
    assert kept.value.reason is Reason.UNSETTLED
    files = scene.files()
    assert files.pop(f".framekeep/strangers/{ENTRY}") == ORIGINAL
    assert scene.sidecars() == ["strangers"]
    assert set(files) <= {"gate/1.jpg", "gate/1.jpg/inside.jpg"}
    assert VARIANT not in files.values()
    assert scene.picture.is_symlink() or files


def test_what_came_out_and_arrived_are_kept_both(scene: Scene, around: Arrange):
    around(before=renamed_over, between=lambda path: path.write_bytes(b"newer still"))
    with pytest.raises(Kept):
        scene.swap_in()
    assert scene.files() == {"gate/1.jpg": b"newer still", f".framekeep/strangers/{ENTRY}": NEWEST}


def test_where_the_whole_folder_is_deleted_meanwhile_the_original_is_set_aside(scene: Scene, around: Arrange):
    around(between=lambda path: path.parent.rmdir())
    with pytest.raises(Kept) as kept:
        scene.swap_in()
    assert kept.value.reason is Reason.GONE
    assert scene.files() == {f".framekeep/strangers/{ENTRY}": ORIGINAL}


def test_a_deleted_picture_stays_deleted(scene: Scene, around: Arrange):
    around(before=Path.unlink)
    with pytest.raises(Kept) as kept:
        scene.swap_in()
    assert kept.value.reason is Reason.GONE
    assert scene.files() == {}


def test_a_writer_that_has_the_file_open_is_noticed(scene: Scene):
    if scene.filesystem == "nfs":
        pytest.skip("no leases there")
    with scene.picture.open("ab"), pytest.raises(Kept, match="open for writing"):
        scene.swap_in()
    assert scene.files() == {"gate/1.jpg": ORIGINAL}


def failing(monkeypatch: pytest.MonkeyPatch, name: str, error: int, times: int = 1) -> None:
    """The first calls fail, as on a full or broken disk."""
    real, failures = getattr(renameat2, name), iter(range(times))

    def called(*where: object) -> None:
        if next(failures, None) is not None:
            raise OSError(error, os.strerror(error))
        real(*where)

    monkeypatch.setattr(renameat2, name, called)


def test_where_the_variant_cannot_be_put_in_the_original_goes_back(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, "move", errno.ENOSPC)
    with pytest.raises(Kept) as kept:
        scene.swap_in()
    assert kept.value.reason is Reason.NO_SPACE
    assert scene.files() == {"gate/1.jpg": ORIGINAL}
    assert FileIdentity.of(scene.picture.stat()).same_content_as(scene.swap.read)


def test_where_nothing_can_be_put_in_the_next_start_has_to(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, "move", errno.EIO, times=2)
    with pytest.raises(Unfinished):
        scene.swap_in()
    assert scene.files() == {f".framekeep/staged/{ENTRY}": VARIANT, f".framekeep/vault/{ENTRY}": ORIGINAL}


def test_a_file_that_did_not_come_out_leaves_no_variant(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, "take", errno.EACCES)
    with pytest.raises(Kept) as kept:
        scene.swap_in()
    assert kept.value.reason is Reason.NOT_PERMITTED
    assert scene.files() == {"gate/1.jpg": ORIGINAL}


def test_a_server_that_did_what_it_denies_is_believed_the_files(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    take = renameat2.take

    def denied(folder: int, name: str, own: int, entry: str) -> None:
        take(folder, name, own, entry)
        if name == scene.picture.name:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(renameat2, "take", denied)
    scene.swap_in()
    assert scene.files() == {"gate/1.jpg": VARIANT, f".framekeep/vault/{ENTRY}": ORIGINAL}


# Restorations.


@pytest.fixture
def replaced(scene: Scene) -> Scene:
    scene.swap_in()
    return scene


def test_restoring_puts_the_very_file_back(replaced: Scene):
    identity = replaced.restore()
    assert replaced.files() == {"gate/1.jpg": ORIGINAL}
    assert replaced.sidecars() == []
    assert identity == FileIdentity.of(replaced.picture.stat())
    assert identity.same_content_as(replaced.swap.read)
    assert replaced.picture.stat().st_nlink == 1


def test_restoring_a_deleted_picture(replaced: Scene):
    replaced.picture.unlink()
    replaced.restore()
    assert replaced.files() == {"gate/1.jpg": ORIGINAL}


def test_a_stranger_at_the_path_is_not_touched(replaced: Scene):
    replaced.picture.write_bytes(NEWEST)
    with pytest.raises(Kept, match="move it away first"):
        replaced.restore()
    assert replaced.files() == {"gate/1.jpg": NEWEST, f".framekeep/vault/{ENTRY}": ORIGINAL}


def test_a_stranger_that_comes_out_goes_back(replaced: Scene, around: Arrange):
    around(before=renamed_over)
    with pytest.raises(Kept, match="move it away first"):
        replaced.restore()
    assert replaced.files() == {"gate/1.jpg": NEWEST, f".framekeep/vault/{ENTRY}": ORIGINAL}


def test_what_arrives_during_a_restoration_stays(replaced: Scene, around: Arrange):
    around(between=renamed_over)
    with pytest.raises(Kept):
        replaced.restore()
    assert replaced.files() == {"gate/1.jpg": NEWEST, f".framekeep/vault/{ENTRY}": ORIGINAL}
    assert replaced.sidecars() == ["vault"]


def test_a_stranger_that_comes_out_is_set_aside_where_a_newer_one_arrived(replaced: Scene, around: Arrange):
    around(before=renamed_over, between=lambda path: path.write_bytes(b"newer still"))
    with pytest.raises(Kept):
        replaced.restore()
    assert replaced.files() == {
        "gate/1.jpg": b"newer still",
        f".framekeep/strangers/{ENTRY}": NEWEST,
        f".framekeep/vault/{ENTRY}": ORIGINAL,
    }
    assert replaced.sidecars() == ["vault"]


def test_where_the_original_cannot_be_put_in_the_variant_goes_back(replaced: Scene, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, "move", errno.EDQUOT)
    with pytest.raises(Kept) as kept:
        replaced.restore()
    assert kept.value.reason is Reason.NO_SPACE
    assert replaced.files() == {"gate/1.jpg": VARIANT, f".framekeep/vault/{ENTRY}": ORIGINAL}


def test_an_original_whose_restoration_was_interrupted_is_not_released(replaced: Scene, monkeypatch):
    failing(monkeypatch, "move", errno.EIO, times=2)
    with pytest.raises(Unfinished):
        replaced.restore()
    with pytest.raises(Kept, match="interrupted"):
        vault.release(replaced.root, replaced.held)
    assert replaced.files() == {f".framekeep/staged/{ENTRY}": VARIANT, f".framekeep/vault/{ENTRY}": ORIGINAL}


# Moves.


@pytest.mark.parametrize("filesystem", ["exfat", "nfs"])
@pytest.mark.parametrize("way", [renameat2.move, renameat2.take])
@pytest.mark.parametrize("source", ["a file", "a link", "a folder"])
@pytest.mark.parametrize("target", ["a file", "a link", "a folder", "nothing"])
def test_no_move_replaces_anything(filesystem: str, way: Callable[..., None], source: str, target: str, tmp_path: Path):
    makers: dict[str, Act] = {
        "a file": lambda path: path.write_bytes(path.name.encode()),
        "a link": lambda path: path.symlink_to(f"to {path.name}"),
        "a folder": turned_into_a_folder,
        "nothing": lambda path: path,
    }
    for name, what in (("source", source), ("target", target)):
        makers[what](tmp_path / name)
    inodes = {path.name: path.lstat().st_ino for path in (tmp_path / "source", tmp_path / "target") if there(path)}
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        if target == "nothing":
            on(filesystem, lambda: way(folder, "source", folder, "target"))
            assert (tmp_path / "target").lstat().st_ino == inodes["source"]
            assert not there(tmp_path / "source")
        else:
            with pytest.raises(FileExistsError):
                on(filesystem, lambda: way(folder, "source", folder, "target"))
            assert {name: (tmp_path / name).lstat().st_ino for name in inodes} == inodes
    finally:
        os.close(folder)


def there(path: Path) -> bool:
    return os.path.lexists(path)


def test_a_move_that_was_interrupted_is_ended_by_the_same_move(tmp_path: Path):
    (tmp_path / "source").write_bytes(ORIGINAL)
    os.link(tmp_path / "source", tmp_path / "target")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        on("nfs", lambda: renameat2.move(folder, "source", folder, "target"))
    finally:
        os.close(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (tmp_path / "target").read_bytes() == ORIGINAL


# What such filesystems answer.


def test_a_server_that_has_delegated_nothing_says_nothing_of_writers(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lease, "_OF_SERVERS", {lease._filesystem(scene.root.descriptor)})
    with scene.picture.open("rb") as picture, scene.picture.open("ab"), lease.no_writer(picture.fileno()) as waits:
        assert not waits()


def test_a_filesystem_is_told_by_its_number():
    descriptor = os.open("/proc/self", os.O_RDONLY)
    try:
        assert lease._filesystem(descriptor) == 0x9FA0  # PROC_SUPER_MAGIC
    finally:
        os.close(descriptor)


def test_a_mode_that_is_right_already_is_not_set(scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """FAT refuses to change owner and mode, even to what they are."""

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    picture = tmp_path / "gate" / "2.jpg"
    picture.write_bytes(ORIGINAL)
    picture.chmod(0o600)
    monkeypatch.setattr(os, "fchmod", refused)
    monkeypatch.setattr(os, "fchown", refused)
    mark = Mark(scene.swap.mark.original, scene.swap.mark.variant, "f" * 32)
    stage(scene.root, Swap("gate/2.jpg", read(scene.root, "gate/2.jpg", 1000).identity, mark), VARIANT)


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EBUSY])
def test_what_another_machine_does_is_for_later(number: int, scene: Scene, monkeypatch: pytest.MonkeyPatch):
    failing(monkeypatch, "take", number)
    with pytest.raises(Kept) as kept:
        scene.swap_in()
    assert kept.value.reason in (Reason.GONE, Reason.UNSETTLED)


@contextmanager
def fat(scratch: Path) -> Iterator[Path]:
    image, folder = scratch / "fat.img", scratch / "fat"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(2**22)
    subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop,umask=0077", image, folder], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no FAT can be mounted here: {mounted.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(shutil.which("mkfs.vfat") is None, reason="mkfs.vfat is not installed")
def test_a_real_fat_cannot_do_all_that_an_exchange_needs(tmp_path: Path):
    with fat(tmp_path) as folder, Root(str(folder)) as root:
        assert not root.probe()
