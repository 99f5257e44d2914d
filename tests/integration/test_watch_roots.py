import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent

from daemon.names import NameFilter
from daemon.watch import Hearing, Watcher

NOBODY = 65534
PATIENCE = 10.0


class Heard:
    """What a watcher delivered, from its threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.deliveries: list[tuple[str, str]] = []
        self.overflows = 0

    @property
    def hearing(self) -> Hearing:
        return Hearing(NameFilter(), self._deliver, self._overflowed)

    @property
    def paths(self) -> set[str]:
        with self._changed:
            return {path for _, path in self.deliveries}

    def expect(self, *paths: str) -> None:
        """Waits until each of these paths was delivered since the last time."""
        self._wait(lambda: {path for _, path in self.deliveries} >= set(paths))
        self.forget()

    def expect_overflow(self) -> None:
        self._wait(lambda: self.overflows > 0)

    def forget(self) -> None:
        with self._changed:
            self.deliveries.clear()

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), f"only {self.deliveries} by now"

    def _deliver(self, root: str, path: str) -> None:
        with self._changed:
            self.deliveries.append((root, path))
            self._changed.notify_all()

    def _overflowed(self) -> None:
        with self._changed:
            self.overflows += 1
            self._changed.notify_all()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "incoming"
    (root / "gate").mkdir(parents=True)
    return root


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watcher(root: Path, heard: Heard) -> Iterator[Watcher]:
    watcher = Watcher([str(root)], heard.hearing)
    watcher.start()
    yield watcher
    watcher.stop()


def drop(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"picture")


pytestmark = pytest.mark.usefixtures("watcher")


def test_a_dropped_picture_is_delivered_with_its_root(root: Path, heard: Heard, watcher: Watcher):
    drop(root / "gate/x.jpg")
    drop(root / "caf\udce9.JPG")
    heard.expect("gate/x.jpg", "caf\udce9.JPG")
    drop(root / "gate/x.jpg")
    heard._wait(lambda: (str(root), "gate/x.jpg") in heard.deliveries)
    assert watcher.degraded is None


def test_a_thousand_pictures_in_fifty_new_folders_at_once(root: Path, heard: Heard):
    pictures = {f"cam{number % 50}/{number % 3}/{number}.jpg" for number in range(1000)}
    for picture in pictures:
        drop(root / picture)
    heard.expect(*pictures)


def test_a_slow_upload_is_heard_while_it_grows_and_when_it_is_closed(root: Path, heard: Heard):
    with (root / "gate/slow.jpg").open("wb", buffering=0) as upload:
        heard.expect("gate/slow.jpg")
        upload.write(b"more")
        heard.expect("gate/slow.jpg")
        time.sleep(0.1)
        heard.forget()
    heard.expect("gate/slow.jpg")


def test_renamed_into_a_picture(root: Path, heard: Heard):
    drop(root / "gate/.x.jpg.part")
    (root / "gate/.x.jpg.part").rename(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    (root / "gate/x.jpg").rename(root / "gate/x.tmp")
    drop(root / "gate/y.jpg")
    heard.expect("gate/y.jpg")
    assert heard.paths <= {"gate/y.jpg"}


def test_moved_in_from_outside(root: Path, heard: Heard, tmp_path: Path):
    drop(tmp_path / "outside/x.jpg")
    (tmp_path / "outside/x.jpg").rename(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")


def test_an_upload_that_preserves_an_old_mtime(root: Path, heard: Heard):
    with (root / "gate/x.jpg").open("wb") as upload:
        upload.write(b"picture")
        os.utime(upload.fileno(), (1e9, 1e9))
    heard.expect("gate/x.jpg")


def test_a_folder_moved_in_with_its_pictures(root: Path, heard: Heard, tmp_path: Path):
    drop(tmp_path / "card/a.jpg")
    drop(tmp_path / "card/2024/05/b.jpg")
    (tmp_path / "card").rename(root / "yard")
    heard.expect("yard/a.jpg", "yard/2024/05/b.jpg")
    drop(root / "yard/2024/05/c.jpg")
    heard.expect("yard/2024/05/c.jpg")


def test_a_folder_renamed_within_the_root(root: Path, heard: Heard):
    drop(root / "gate/2024/x.jpg")
    heard.expect("gate/2024/x.jpg")
    (root / "gate").rename(root / "yard")
    heard.expect("yard/2024/x.jpg")
    drop(root / "yard/2024/y.jpg")
    heard.expect("yard/2024/y.jpg")


def test_a_folder_moved_out_and_back(root: Path, heard: Heard, tmp_path: Path):
    (root / "gate").rename(tmp_path / "out")
    time.sleep(0.7)  # watchdog gives up waiting for where it went
    (tmp_path / "out").rename(root / "gate")
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    assert heard.overflows == 0


def test_a_tree_copied_in(root: Path, heard: Heard, tmp_path: Path):
    pictures = {f"{outer}/{inner}/{number}.jpg" for outer in range(10) for inner in range(5) for number in range(4)}
    for picture in pictures:
        drop(tmp_path / "card" / picture)
    shutil.copytree(tmp_path / "card", root / "card")
    heard.expect(*(f"card/{picture}" for picture in pictures))


def test_folders_created_deep(root: Path, heard: Heard):
    drop(root / "a/b/c/d/e/f/x.jpg")
    heard.expect("a/b/c/d/e/f/x.jpg")
    drop(root / "a/b/c/d/e/f/g/y.jpg")
    heard.expect("a/b/c/d/e/f/g/y.jpg")


def test_what_is_ignored_is_not_heard(root: Path, heard: Heard):
    for name in (".framekeep/vault/x.jpg", "gate/@eaDir/x.jpg", "gate/x.txt", "gate/.x.jpg", ".hidden/a/x.jpg"):
        drop(root / name)
    drop(root / "gate/last.jpg")
    heard._wait(lambda: bool(heard.deliveries))
    assert heard.paths == {"gate/last.jpg"}


def test_reading_is_no_event(root: Path, heard: Heard):
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    time.sleep(0.2)
    heard.forget()
    (root / "gate/x.jpg").read_bytes()
    drop(root / "gate/last.jpg")
    heard._wait(lambda: bool(heard.deliveries))
    assert heard.paths == {"gate/last.jpg"}


def test_no_watch_is_spent_on_ignored_folders(root: Path, heard: Heard, watcher: Watcher):
    before = watches()
    for number in range(20):
        (root / f".framekeep/vault/{number}").mkdir(parents=True)
        (root / f"gate/@eaDir/{number}.jpg").mkdir(parents=True)
    (root / "yard").mkdir()
    drop(root / "yard/x.jpg")
    heard.expect("yard/x.jpg")
    assert watches() == before + 1


def watches() -> int:
    """How many inotify watches this process has."""
    infos = (path.read_text() for path in Path("/proc/self/fdinfo").iterdir() if path.exists())
    return sum(line.startswith("inotify wd:") for text in infos for line in text.splitlines())


def test_links_to_folders_are_not_followed(root: Path, heard: Heard, watcher: Watcher, tmp_path: Path):
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    card = tmp_path / "card"
    card.mkdir()
    (card / "link").symlink_to(tmp_path / "outside")
    card.rename(root / "card")
    watcher._session._reader.shaken = True  # watch everything anew, as at a start
    watcher.rearm()
    drop(tmp_path / "outside/secret.jpg")
    (root / "gate/linked.jpg").symlink_to(tmp_path / "outside/secret.jpg")
    heard._wait(lambda: "gate/linked.jpg" in {path for _, path in heard.deliveries})
    assert heard.paths == {"gate/linked.jpg"}


def test_a_root_named_by_a_link(tmp_path: Path, root: Path):
    (tmp_path / "link").symlink_to(root)
    heard = Heard()
    watcher = Watcher([str(tmp_path / "link")], heard.hearing)
    watcher.start()
    drop(root / "x.jpg")
    heard._wait(lambda: (str(tmp_path / "link"), "x.jpg") in heard.deliveries)
    watcher.stop()


def test_a_sound_watcher_is_left_alone_by_rearm(watcher: Watcher, heard: Heard, root: Path):
    session = watcher._session
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    watcher.rearm()
    assert watcher._session is session


def test_a_root_that_is_deleted_and_made_again(root: Path, heard: Heard, watcher: Watcher):
    shutil.rmtree(root)
    with capture_logs() as logs:
        watcher.rearm()
        watcher.rearm()
    assert [entry["event"] for entry in logs] == ["watch_degraded"]
    assert watcher.degraded is not None
    assert str(root) in watcher.degraded
    (root / "gate").mkdir(parents=True)
    watcher.rearm()
    assert watcher.degraded is None
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")


def test_another_folder_in_the_place_of_the_root(root: Path, heard: Heard, watcher: Watcher, tmp_path: Path):
    root.rename(tmp_path / "old")
    root.mkdir()
    watcher.rearm()
    drop(root / "x.jpg")
    heard.expect("x.jpg")


def test_a_missing_root_does_not_deafen_the_others(root: Path, tmp_path: Path):
    heard = Heard()
    watcher = Watcher([str(tmp_path / "missing"), str(root)], heard.hearing)
    watcher.start()
    assert watcher.degraded is not None
    session = watcher._session
    watcher.rearm()
    assert watcher._session is session
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    watcher.stop()


def test_a_filesystem_that_comes_and_goes(root: Path, heard: Heard, watcher: Watcher):
    mount, unmount = ["mount", "-t", "tmpfs", "none", str(root)], ["umount", str(root)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        watcher.rearm()
        drop(root / "yard/x.jpg")
        heard.expect("yard/x.jpg")
    finally:
        subprocess.run(unmount, check=True)
    subprocess.run(mount, check=True)  # with the same numbers as before: only the kernel's word tells
    try:
        watcher.rearm()
        drop(root / "y.jpg")
        heard.expect("y.jpg")
    finally:
        subprocess.run(unmount, check=True)
    watcher.rearm()
    drop(root / "gate/z.jpg")
    heard.expect("gate/z.jpg")


def test_lost_events_ask_for_a_rescan_and_everything_is_watched_anew(root: Path, heard: Heard, watcher: Watcher):
    session = watcher._session
    with capture_logs() as logs:
        # The kernel's own word for it; its queue is too long to be filled here.
        session._reader.handle_event(InotifyEvent(-1, InotifyConstants.IN_Q_OVERFLOW, 0, b""))
    heard.expect_overflow()
    assert "fs.inotify.max_queued_events" in [entry.get("sysctl") for entry in logs]
    watcher.rearm()
    assert watcher._session is not session
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")


def test_a_stopped_watcher_stays_stopped(root: Path, heard: Heard, watcher: Watcher):
    threads = threading.active_count()
    watcher.stop()
    assert threading.active_count() < threads
    watcher.rearm()
    assert watcher._session is None
    assert watches() == 0


def test_an_unreadable_folder_is_told_and_watched_once_it_can_be_read(heard: Heard):
    if os.geteuid() != 0:
        pytest.skip("needs root, who may become another user")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for folder in ("private", "secret", "gate"):
            (root / folder).mkdir()
            (root / folder).chmod(0o777 if folder == "gate" else 0)
        watcher = Watcher([name], heard.hearing)
        os.seteuid(NOBODY)
        try:
            watcher.start()
            assert "Permission denied" in (watcher.degraded or "")
            drop(root / "gate/x.jpg")
            heard.expect("gate/x.jpg")
            os.seteuid(0)
            for folder in ("private", "secret"):
                (root / folder).chmod(0o777)
            os.seteuid(NOBODY)
            watcher.rearm()
            assert watcher.degraded is None
            drop(root / "secret/y.jpg")
            heard.expect("secret/y.jpg")
            watcher.stop()
        finally:
            os.seteuid(0)


HOSTILE = """
import os, sys, threading
from pathlib import Path
from daemon.names import NameFilter
from daemon.watch import Hearing, Watcher

root, deep, heard, lost = Path(sys.argv[1]), Path(sys.argv[2]), threading.Event(), threading.Event()
watcher = Watcher([str(root)], Hearing(NameFilter(), lambda root, path: heard.set(), lost.set))
watcher.start()
deep.rename(root / "deep")
assert lost.wait(10) or sys.version_info >= (3, 12)
(root / "x.jpg").write_bytes(b"picture")
assert heard.wait(10)
watcher.rearm()
watcher.stop()
"""


def test_a_hostile_depth_of_folders_does_not_deafen_the_rest(tmp_path: Path):
    root = tmp_path / "elsewhere"
    root.mkdir()
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(sys.getrecursionlimit() + 10):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    run = subprocess.run([sys.executable, "-c", HOSTILE, str(root), str(tmp_path / "d")], check=False)
    subprocess.run(["rm", "-r", str(root / "deep")], check=True)  # more than pytest's own cleaning can
    assert run.returncode == 0


LIMITED = """
import json, sys, time
from pathlib import Path
from daemon.names import NameFilter
from daemon.watch import Hearing, Watcher

root, limit, heard = Path(sys.argv[1]), Path("/proc/sys/user", sys.argv[2]), []
limit.write_text(sys.argv[3])
watcher = Watcher([str(root)], Hearing(NameFilter(), lambda root, path: heard.append(path), lambda: None))
watcher.start()
at_start = watcher.degraded
(root / "new").mkdir()
(root / "late.jpg").write_bytes(b"picture")
time.sleep(0.5)
later = watcher.degraded
limit.write_text("1000")
watcher.rearm()
print(json.dumps([at_start, later, heard, watcher.degraded]))
watcher.stop()
"""


@pytest.mark.parametrize(
    ("limit", "number", "sysctl"),
    [
        ("max_inotify_watches", 4, "fs.inotify.max_user_watches"),  # of the ten that the root needs
        ("max_inotify_watches", 10, "fs.inotify.max_user_watches"),  # enough until another folder comes
        ("max_inotify_watches", 0, "fs.inotify.max_user_watches"),
        ("max_inotify_instances", 0, "fs.inotify.max_user_instances"),
    ],
)
def test_a_limit_of_the_kernel_degrades_the_watch_and_is_named(root: Path, limit: str, number: int, sysctl: str):
    for folder in range(8):
        (root / str(folder)).mkdir()
    # The limits of a user namespace of its own bind nobody else.
    unshare = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs user namespaces")
    command = [*unshare, sys.executable, "-W", "error", "-c", LIMITED, str(root), limit, str(number)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    at_start, later, heard, in_the_end = json.loads(run.stdout.splitlines()[-1])
    assert sysctl in later
    assert (at_start is None) == (number == 10)
    assert ("late.jpg" in heard) == (number > 0)
    assert in_the_end is None
    assert run.stdout.count("watch_degraded") == 1
    assert run.stdout.count("watch_recovered") == 1
