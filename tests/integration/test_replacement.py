"""The replacement of files, on a real filesystem."""

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from framekeep.errors import AlreadyRunningError, ConfigurationError
from framekeep.reasons import Kept, Reason
from storage.attribute import NAME, Mark, read_mark
from storage.reading import read
from storage.replacement import Swap, stage, swap_in
from storage.root import Root

ORIGINAL = b"the camera's bytes " * 50
VARIANT = b"the variant"
ENTRY = "e" * 32


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@dataclass(frozen=True)
class Scene:
    """A root with one picture in a camera's folder, read already."""

    root: Root
    picture: Path
    swap: Swap

    @property
    def own(self) -> Path:
        return Path(self.root.path) / ".framekeep"

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.root.path)): path.read_bytes()
            for path in sorted(Path(self.root.path).rglob("*"))
            if path.is_file() and path.name != "lock"
        }


@pytest.fixture
def scene(tmp_path: Path):
    picture = tmp_path / "gate" / "1.jpg"
    picture.parent.mkdir()
    picture.write_bytes(ORIGINAL)
    picture.chmod(0o640)
    os.utime(picture, ns=(1_500_000_000_123456789, 1_600_000_000_987654321))
    os.setxattr(picture, "user.note", b"kept")
    with Root(str(tmp_path)) as root:
        identity = read(root, "gate/1.jpg", 10_000).identity
        yield Scene(root, picture, Swap("gate/1.jpg", identity, Mark(digest(ORIGINAL), digest(VARIANT), ENTRY)))


def test_the_variant_takes_the_path_and_the_very_inode_goes_to_the_vault(scene: Scene):
    before = scene.picture.stat()
    stage(scene.root, scene.swap, VARIANT)
    assert scene.picture.read_bytes() == ORIGINAL
    identity = swap_in(scene.root, scene.swap)
    after = scene.picture.stat()
    assert scene.files() == {"gate/1.jpg": VARIANT, f".framekeep/vault/{ENTRY}": ORIGINAL}
    assert (scene.own / "vault" / ENTRY).stat().st_ino == before.st_ino
    assert identity.inode == after.st_ino
    assert (identity.size, identity.ctime_ns) == (len(VARIANT), after.st_ctime_ns)


def test_owner_mode_times_and_attributes_survive(scene: Scene):
    if os.geteuid() == 0:
        os.chown(scene.picture, 4321, 8765)
    before = scene.picture.stat()
    swap = Swap(scene.swap.path, read(scene.root, scene.swap.path, 10_000).identity, scene.swap.mark)
    stage(scene.root, swap, VARIANT)
    swap_in(scene.root, swap)
    after = scene.picture.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert after.st_mtime_ns == before.st_mtime_ns == 1_600_000_000_987654321
    assert os.getxattr(scene.picture, "user.note") == b"kept"
    assert sorted(os.listxattr(scene.picture)) == sorted(["user.note", NAME])


def test_the_variant_is_marked_and_the_original_is_not(scene: Scene):
    stage(scene.root, scene.swap, VARIANT)
    swap_in(scene.root, scene.swap)
    picture = read(scene.root, scene.swap.path, 10_000)
    assert picture.mark == scene.swap.mark
    assert picture.is_marked
    with (scene.own / "vault" / ENTRY).open("rb") as original:
        assert read_mark(original.fileno()) is None


def test_a_mark_on_other_bytes_says_nothing(scene: Scene):
    stage(scene.root, scene.swap, VARIANT)
    swap_in(scene.root, scene.swap)
    scene.picture.write_bytes(b"a camera writes into the same file")
    assert not read(scene.root, scene.swap.path, 10_000).is_marked


def rewritten(picture: Path):
    picture.write_bytes(b"new bytes")


def appended(picture: Path):
    with picture.open("ab") as file:
        file.write(b"more")


def renamed_over(picture: Path):
    fresh = picture.with_name("fresh")
    fresh.write_bytes(ORIGINAL)
    fresh.rename(picture)


def same_size_and_time(picture: Path):
    status = picture.stat()
    picture.write_bytes(b"x" * len(ORIGINAL))
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns))


def linked(picture: Path):
    os.link(picture, picture.with_name("other"))


def turned_into_a_link(picture: Path):
    target = picture.with_name("target")
    picture.rename(target)
    picture.symlink_to(target)


def turned_into_a_folder(picture: Path):
    picture.unlink()
    picture.mkdir()
    (picture / "inside.jpg").write_bytes(b"inside")


CHANGES = [
    rewritten,
    appended,
    renamed_over,
    same_size_and_time,
    linked,
    turned_into_a_link,
    turned_into_a_folder,
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_after_the_read_goes_back_to_its_path(scene: Scene, change):
    stage(scene.root, scene.swap, VARIANT)
    change(scene.picture)
    expected, status = scene.files(), scene.picture.lstat()
    expected.pop(f".framekeep/staged/{ENTRY}")
    with pytest.raises(Kept) as kept:
        swap_in(scene.root, scene.swap)
    assert kept.value.reason in {Reason.UNSETTLED, Reason.HARD_LINKED, Reason.SYMLINK, Reason.NOT_A_FILE}
    assert scene.files() == expected
    assert scene.picture.lstat().st_ino == status.st_ino


def test_a_writer_that_has_the_file_open_is_noticed(scene: Scene):
    stage(scene.root, scene.swap, VARIANT)
    with scene.picture.open("ab"), pytest.raises(Kept, match="open for writing"):
        swap_in(scene.root, scene.swap)
    assert scene.files() == {"gate/1.jpg": ORIGINAL}


def test_a_reader_does_not_disturb(scene: Scene):
    stage(scene.root, scene.swap, VARIANT)
    with scene.picture.open("rb") as viewer:
        swap_in(scene.root, scene.swap)
        assert viewer.read() == ORIGINAL


def test_a_deleted_picture_stays_deleted(scene: Scene):
    stage(scene.root, scene.swap, VARIANT)
    scene.picture.unlink()
    with pytest.raises(Kept) as kept:
        swap_in(scene.root, scene.swap)
    assert kept.value.reason is Reason.GONE
    assert scene.files() == {}


def test_a_folder_that_became_a_link_is_not_followed(scene: Scene, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "1.jpg").write_bytes(ORIGINAL)
    stage(scene.root, scene.swap, VARIANT)
    scene.picture.parent.rename(scene.picture.parent.with_name("moved"))
    scene.picture.parent.symlink_to(outside)
    with pytest.raises(Kept):
        swap_in(scene.root, scene.swap)
    assert (outside / "1.jpg").read_bytes() == ORIGINAL
    assert scene.files()["moved/1.jpg"] == ORIGINAL
    assert not list((scene.own / "staged").iterdir())


def test_staging_leaves_nothing_behind_when_it_fails(scene: Scene):
    rewritten(scene.picture)
    with pytest.raises(Kept):
        stage(scene.root, scene.swap, VARIANT)
    assert not list((scene.own / "staged").iterdir())


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to("elsewhere"), Reason.SYMLINK),
        (os.mkfifo, Reason.NOT_A_FILE),
        (lambda path: path.mkdir(), Reason.NOT_A_FILE),
        (lambda path: path.write_bytes(b"x" * 10_001), Reason.TOO_LARGE),
        (lambda _path: None, Reason.GONE),
    ],
)
def test_what_cannot_be_read_is_a_reason(scene: Scene, make, reason):
    scene.picture.unlink()
    make(scene.picture)
    with pytest.raises(Kept) as kept:
        read(scene.root, scene.swap.path, 10_000)
    assert kept.value.reason is reason


@pytest.mark.parametrize("path", ["../outside.jpg", ".framekeep/vault/x", "gate/../1.jpg", "gate/", ""])
def test_paths_that_lead_elsewhere_are_refused(scene: Scene, path):
    with pytest.raises(Kept):
        read(scene.root, path, 10_000)


@pytest.mark.parametrize("name", ["line\nbreak.jpg", os.fsdecode(b"latin\xe9.jpg"), "x" * 251 + ".jpg"])
def test_any_name_can_be_replaced(scene: Scene, name):
    picture = scene.picture.with_name(name)
    scene.picture.rename(picture)
    swap = Swap(f"gate/{name}", read(scene.root, f"gate/{name}", 10_000).identity, scene.swap.mark)
    stage(scene.root, swap, VARIANT)
    swap_in(scene.root, swap)
    assert picture.read_bytes() == VARIANT


def replaced(scene: Scene, entry: str, *, fresh: int) -> bool:
    """Whether a replacement went through, of a file that was read just now, or long ago."""
    try:
        if fresh:
            picture = read(scene.root, scene.swap.path, 10_000)
            swap = Swap(scene.swap.path, picture.identity, Mark(picture.sha256, digest(VARIANT), entry))
        else:
            swap = Swap(scene.swap.path, scene.swap.read, Mark(digest(ORIGINAL), digest(VARIANT), entry))
        stage(scene.root, swap, VARIANT)
        swap_in(scene.root, swap)
    except Kept as kept:
        if kept.reason is not Reason.UNSETTLED:
            raise
        return False
    return True


def test_races_with_a_camera_that_keeps_replacing_the_file(scene: Scene):
    """Whatever arrived last stays at the path, at every instant a whole file is there, and nothing is left over."""
    stop = threading.Event()
    arrived: list[bytes] = []
    seen: set[bytes] = set()

    def camera():
        fresh = scene.picture.with_name(".fresh")
        while not stop.is_set():
            data = b"%d" % len(arrived) * 20
            fresh.write_bytes(data)
            arrived.append(data)
            fresh.rename(scene.picture)

    def viewer():
        while not stop.is_set():
            seen.add(scene.picture.read_bytes())

    threads = [threading.Thread(target=work) for work in (camera, viewer)]
    for thread in threads:
        thread.start()
    swapped = {
        entry for number in range(300) if (entry := f"{number:032}") and replaced(scene, entry, fresh=number % 3)
    }
    stop.set()
    for thread in threads:
        thread.join()
    assert scene.picture.read_bytes() in {arrived[-1], VARIANT}
    assert seen <= {ORIGINAL, VARIANT, *arrived}
    assert not list((scene.own / "staged").iterdir())
    vault = {path.name: path.read_bytes() for path in (scene.own / "vault").iterdir()}
    assert set(vault) == swapped
    assert set(vault.values()) <= {ORIGINAL, VARIANT, *arrived}


def test_one_instance_at_a_time(scene: Scene):
    scene.root.lock()
    with Root(scene.root.path) as other, pytest.raises(AlreadyRunningError, match="stop it first"):
        other.lock()


def test_the_own_folder_must_be_private(tmp_path: Path):
    with Root(str(tmp_path)) as root:
        root.probe()
    assert (tmp_path / ".framekeep").stat().st_mode & 0o777 == 0o700
    (tmp_path / ".framekeep").chmod(0o755)
    with pytest.raises(ConfigurationError, match="chmod 700"):
        Root(str(tmp_path))


def test_the_own_folder_must_be_no_link(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".framekeep").symlink_to("elsewhere")
    with pytest.raises(ConfigurationError, match="cannot be used as a watched root"):
        Root(str(tmp_path))
