"""What a watcher hears, however pictures and folders come and go."""

import os
import shutil
import time

import pytest

from daemon.watch import Watcher

pytestmark = pytest.mark.usefixtures("watcher")


def test_a_dropped_picture_is_delivered_with_its_root(root, heard, watcher, drop):
    drop(root / "gate/x.jpg")
    drop(root / "caf\udce9.JPG")
    heard.expect("gate/x.jpg", "caf\udce9.JPG")
    drop(root / "gate/x.jpg")
    heard.wait(lambda: (str(root), "gate/x.jpg") in heard.deliveries)
    assert watcher.degraded is None


def test_a_thousand_pictures_in_fifty_new_folders_at_once(root, heard, drop):
    pictures = {f"cam{number % 50}/{number % 3}/{number}.jpg" for number in range(1000)}
    for picture in pictures:
        drop(root / picture)
    heard.expect(*pictures)


def test_a_slow_upload_is_heard_while_it_grows_and_when_it_is_closed(root, heard):
    with (root / "gate/slow.jpg").open("wb", buffering=0) as upload:
        heard.expect("gate/slow.jpg")
        upload.write(b"more")
        heard.expect("gate/slow.jpg")
        time.sleep(0.1)
        heard.forget()
    heard.expect("gate/slow.jpg")


def test_renamed_into_a_picture(root, heard, drop):
    drop(root / "gate/.x.jpg.part")
    (root / "gate/.x.jpg.part").rename(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    (root / "gate/x.jpg").rename(root / "gate/x.tmp")
    drop(root / "gate/y.jpg")
    heard.expect("gate/y.jpg")
    assert heard.paths <= {"gate/y.jpg"}


def test_moved_in_from_outside(root, heard, tmp_path, drop):
    drop(tmp_path / "outside/x.jpg")
    (tmp_path / "outside/x.jpg").rename(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")


def test_an_upload_that_preserves_an_old_mtime(root, heard):
    with (root / "gate/x.jpg").open("wb") as upload:
        upload.write(b"picture")
        os.utime(upload.fileno(), (1e9, 1e9))
    heard.expect("gate/x.jpg")


def test_a_folder_moved_in_with_its_pictures(root, heard, tmp_path, drop):
    drop(tmp_path / "card/a.jpg")
    drop(tmp_path / "card/2024/05/b.jpg")
    (tmp_path / "card").rename(root / "yard")
    heard.expect("yard/a.jpg", "yard/2024/05/b.jpg")
    drop(root / "yard/2024/05/c.jpg")
    heard.expect("yard/2024/05/c.jpg")


def test_a_folder_renamed_within_the_root(root, heard, drop):
    drop(root / "gate/2024/x.jpg")
    heard.expect("gate/2024/x.jpg")
    (root / "gate").rename(root / "yard")
    heard.expect("yard/2024/x.jpg")
    drop(root / "yard/2024/y.jpg")
    heard.expect("yard/2024/y.jpg")


def test_a_folder_moved_out_and_back(root, heard, tmp_path, drop):
    (root / "gate").rename(tmp_path / "out")
    time.sleep(0.7)  # watchdog gives up waiting for where it went
    (tmp_path / "out").rename(root / "gate")
    drop(root / "gate/x.jpg")
    heard.expect("gate/x.jpg")
    assert heard.overflows == 0


def test_a_tree_copied_in(root, heard, tmp_path, drop):
    pictures = {f"{outer}/{inner}/{number}.jpg" for outer in range(10) for inner in range(5) for number in range(4)}
    for picture in pictures:
        drop(tmp_path / "card" / picture)
    shutil.copytree(tmp_path / "card", root / "card")
    heard.expect(*(f"card/{picture}" for picture in pictures))


def test_folders_created_deep(root, heard, drop):
    drop(root / "a/b/c/d/e/f/x.jpg")
    heard.expect("a/b/c/d/e/f/x.jpg")
    drop(root / "a/b/c/d/e/f/g/y.jpg")
    heard.expect("a/b/c/d/e/f/g/y.jpg")


def test_what_is_ignored_is_not_heard(root, heard, drop):
    for name in (".framekeep/vault/x.jpg", "gate/@eaDir/x.jpg", "gate/x.txt", "gate/.x.jpg", ".hidden/a/x.jpg"):
        drop(root / name)
    drop(root / "gate/last.jpg")
    heard.wait(lambda: bool(heard.deliveries))
    assert heard.paths == {"gate/last.jpg"}


def test_reading_is_no_event(root, heard, drop):
    drop(root / "gate/x.jpg")
    drop(root / "gate/witness.jpg")
    heard.expect("gate/x.jpg", "gate/witness.jpg")  # so all that was to be heard of the first has been
    (root / "gate/x.jpg").read_bytes()
    drop(root / "gate/last.jpg")
    heard.wait(lambda: "gate/last.jpg" in {path for _, path in heard.deliveries})
    assert "gate/x.jpg" not in heard.paths


def test_no_watch_is_spent_on_ignored_folders(root, heard, watcher, drop, watches):
    before = watches()
    for number in range(20):
        (root / f".framekeep/vault/{number}").mkdir(parents=True)
        (root / f"gate/@eaDir/{number}.jpg").mkdir(parents=True)
    (root / "yard").mkdir()
    drop(root / "yard/x.jpg")
    heard.expect("yard/x.jpg")
    assert watches() == before + 1


def test_links_to_folders_are_not_followed(root, heard, watcher, tmp_path, drop):
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
    heard.wait(lambda: "gate/linked.jpg" in {path for _, path in heard.deliveries})
    assert heard.paths == {"gate/linked.jpg"}


def test_a_root_named_by_a_link(tmp_path, root, drop, new_heard):
    (tmp_path / "link").symlink_to(root)
    heard = new_heard()
    watcher = Watcher([str(tmp_path / "link")], heard.hearing)
    watcher.start()
    drop(root / "x.jpg")
    heard.wait(lambda: (str(tmp_path / "link"), "x.jpg") in heard.deliveries)
    watcher.stop()
