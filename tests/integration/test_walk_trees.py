import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daemon.names import NameFilter
from daemon.walk import CHUNK, PassedOver, walk

NAMES = NameFilter()
NOBODY = 65534


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"picture")
    return root


def paths(root: Path, below: str = "") -> set[str]:
    return {found.path for chunk in walk(str(root), NAMES, below) for found in chunk}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach, too; pytest's own is closed to them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """As another user where the tests run as root, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_pictures_of_all_folders_are_found(tmp_path: Path):
    pictures = {"a.jpg", "gate/b.JPG", "gate/2024/05/c.jpeg", "yard/caf\udce9.jpg"}
    make(tmp_path, *pictures, "gate/note.txt", ".framekeep/vault/1.jpg", "gate/@eaDir/d.jpg", "gate/.x.jpg")
    assert paths(tmp_path) == pictures


def test_the_status_is_the_file_s_own(tmp_path: Path):
    make(tmp_path, "gate/a.jpg")
    [[found]] = walk(str(tmp_path), NAMES)
    assert found.status.st_ino == (tmp_path / "gate/a.jpg").stat().st_ino
    assert found.status.st_size == 7


def test_a_big_folder_comes_in_chunks(tmp_path: Path):
    for number in range(2 * CHUNK + 1):
        (tmp_path / f"{number}.jpg").touch()
    assert [len(chunk) for chunk in walk(str(tmp_path), NAMES)] == [CHUNK, CHUNK, 1]


def test_below_a_folder_or_a_file(tmp_path: Path):
    make(tmp_path, "gate/2024/a.jpg", "gate/2024/05/b.jpg", "gate/c.jpg", "yard/d.jpg", "gate/.x/e.jpg", "gate/f.txt")
    assert paths(tmp_path, "gate/2024") == {"gate/2024/a.jpg", "gate/2024/05/b.jpg"}
    assert paths(tmp_path, "./gate//2024/") == {"gate/2024/a.jpg", "gate/2024/05/b.jpg"}
    assert paths(tmp_path, "yard/d.jpg") == {"yard/d.jpg"}
    for nothing in ("gate/.x", "gate/.x/e.jpg", "gate/f.txt", "nowhere", "gate/c.jpg/deeper"):
        assert paths(tmp_path, nothing) == set()


def test_no_way_leads_out_of_the_root(tmp_path: Path):
    with pytest.raises(ValueError, match="lead out"):
        walk(str(tmp_path), NAMES, "gate/../..")


def test_links_are_told_but_not_followed(tmp_path: Path):
    outside = make(tmp_path / "outside", "secret.jpg")
    root = make(tmp_path / "root", "gate/a.jpg")
    (root / "gate/link.jpg").symlink_to(outside / "secret.jpg")
    (root / "gate/dangling.jpg").symlink_to("nowhere")
    (root / "yard").symlink_to(outside)
    (root / "folder.jpg").symlink_to(outside)
    found = {file.path: file.status for chunk in walk(str(root), NAMES) for file in chunk}
    assert found.keys() == {"gate/a.jpg", "gate/link.jpg", "gate/dangling.jpg", "folder.jpg"}
    assert stat.S_ISLNK(found["gate/link.jpg"].st_mode)
    assert paths(root, "yard") == set()
    assert paths(root, "yard/secret.jpg") == set()


def test_a_folder_that_becomes_a_link_during_the_walk_is_not_entered(tmp_path: Path):
    outside = make(tmp_path / "outside", "deeper/secret.jpg")
    root = make(tmp_path / "root", "a.jpg", "gate/deeper/b.jpg")
    passed_over: Counter[PassedOver] = Counter()
    walking = walk(str(root), NAMES, passed_over=passed_over)
    assert [found.path for found in next(walking)] == ["a.jpg"]
    (root / "gate").rename(tmp_path / "moved")
    (root / "gate").symlink_to(outside)
    assert list(walking) == []
    assert not passed_over


def test_a_root_may_be_named_by_a_link(tmp_path: Path):
    make(tmp_path / "disk", "gate/a.jpg")
    (tmp_path / "incoming").symlink_to("disk")
    assert paths(tmp_path / "incoming") == {"gate/a.jpg"}


def test_a_missing_root_is_told_and_gives_nothing(tmp_path: Path):
    passed_over: Counter[PassedOver] = Counter()
    with capture_logs() as logs:
        assert list(walk(str(tmp_path / "gone"), NAMES, passed_over=passed_over)) == []
    assert passed_over == {PassedOver.UNREADABLE: 1}
    assert logs[0]["event"] == "passed_over"
    assert logs[0]["error"] == "No such file or directory"


def test_an_odd_file_is_told_and_harms_nothing(tmp_path: Path):
    make(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s.jpg"))
        assert paths(tmp_path) == {"a.jpg", "pipe.jpg", "s.jpg"}


def test_an_unreadable_folder_is_passed_over(open_folder: Path, request: pytest.FixtureRequest):
    make(open_folder, "gate/a.jpg", "private/b.jpg", "yard/c.jpg", ".hidden/d.jpg")
    (open_folder / "private").chmod(0)
    (open_folder / ".hidden").chmod(0)
    request.getfixturevalue("unprivileged")
    passed_over: Counter[PassedOver] = Counter()
    with capture_logs() as logs:
        found = {file.path for chunk in walk(str(open_folder), NAMES, passed_over=passed_over) for file in chunk}
    assert found == {"gate/a.jpg", "yard/c.jpg"}
    assert passed_over == {PassedOver.UNREADABLE: 1}
    assert [(entry["path"], entry["error"]) for entry in logs] == [("private", "Permission denied")]
    assert list(walk(str(open_folder), NAMES, ".hidden", passed_over)) == []
    assert passed_over == {PassedOver.UNREADABLE: 1}


def test_another_filesystem_below_the_root_is_passed_over(tmp_path: Path):
    make(tmp_path, "gate/a.jpg", "mounted/old.jpg")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "none", str(tmp_path / "mounted")], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount")
    try:
        make(tmp_path, "mounted/b.jpg", "mounted/deep/c.jpg")
        passed_over: Counter[PassedOver] = Counter()
        found = [file.path for chunk in walk(str(tmp_path), NAMES, passed_over=passed_over) for file in chunk]
        assert found == ["gate/a.jpg"]
        assert passed_over == {PassedOver.OTHER_FILESYSTEM: 1}
        assert paths(tmp_path, "mounted/deep") == set()
    finally:
        subprocess.run(["umount", str(tmp_path / "mounted")], check=True)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_unfinished_walk_leaves_no_descriptor_open(tmp_path: Path):
    make(tmp_path, *(f"many/{number}.jpg" for number in range(CHUNK + 1)))
    before = open_descriptors()
    unfinished = walk(str(tmp_path), NAMES)
    next(unfinished)
    assert open_descriptors() > before
    assert isinstance(unfinished, Generator)
    unfinished.close()
    assert open_descriptors() == before


def test_a_hostile_depth_of_folders(tmp_path: Path):
    depth = sys.getrecursionlimit() + 10
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(os.open("deep.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    assert paths(tmp_path) == {"d/" * depth + "deep.jpg"}
    subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)  # more than pytest's own cleaning can
