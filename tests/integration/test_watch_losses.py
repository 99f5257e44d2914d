"""Roots that vanish, lost events, limits of the kernel: what a watcher tells of it, and how it recovers."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent

from daemon.watch import Watcher

NOBODY = 65534

pytestmark = pytest.mark.usefixtures("watcher")


def test_a_sound_watcher_is_left_alone_by_rearm(watcher, heard, root, drop):
    session = watcher._session
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    watcher.rearm()
    assert watcher._session is session


def test_a_root_that_is_deleted_and_made_again(root, heard, watcher, drop):
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


def test_another_folder_in_the_place_of_the_root(root, heard, watcher, tmp_path, drop):
    root.rename(tmp_path / "old")
    root.mkdir()
    watcher.rearm()
    drop(root / "x.jpg")
    heard.expect("x.jpg")


def test_a_missing_root_does_not_deafen_the_others(root, tmp_path, drop, new_heard):
    heard = new_heard()
    watcher = Watcher([str(tmp_path / "missing"), str(root)], heard.hearing)
    watcher.start()
    assert watcher.degraded is not None
    session = watcher._session
    watcher.rearm()
    assert watcher._session is session
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    watcher.stop()


def test_a_filesystem_that_comes_and_goes(root, heard, watcher, drop):
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


def test_lost_events_ask_for_a_rescan_and_everything_is_watched_anew(root, heard, watcher, drop):
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


def test_a_stopped_watcher_stays_stopped(root, heard, watcher, watches):
    threads = threading.active_count()
    watcher.stop()
    assert threading.active_count() < threads
    watcher.rearm()
    assert watcher._session is None
    assert watches() == 0


def test_an_unreadable_folder_is_told_and_watched_once_it_can_be_read(heard, drop):
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
assert sys.version_info >= (3, 12) or lost.wait(60)
(root / "x.jpg").write_bytes(b"picture")
assert heard.wait(60)
watcher.rearm()
watcher.stop()
"""


def test_a_hostile_depth_of_folders_does_not_deafen_the_rest(tmp_path):
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
give_up = time.monotonic() + 60
while time.monotonic() < give_up and not (watcher.degraded and (heard or sys.argv[3] == "0")):
    time.sleep(0.05)
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
def test_a_limit_of_the_kernel_degrades_the_watch_and_is_named(root, limit, number, sysctl):
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
