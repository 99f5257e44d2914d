"""Pictures come to a running daemon in all the ways in which cameras, scripts and people bring them."""

import base64
import io
import json
import os
import re
import stat
import time

import pytest
from PIL import Image, ImageCms

from framekeep.reasons import Reason

METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}
"""Every APPn and COM but JFIF and Adobe, which belong to the coding."""


@pytest.fixture(scope="module")
def shared(new_site):
    return new_site()


@pytest.fixture(scope="module")
def daemon(shared, serving):
    with serving(shared) as daemon:
        yield daemon


def segments(data):
    """The metadata segments in their order, by a walk that shares nothing with framekeep's."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] in METADATA:
            found.append(data[at:end])
        at = end
    return found


def test_a_dropped_picture_is_replaced_and_reported(shared, daemon, until, drawn):
    data = drawn(1)
    path = shared.put("gate/dropped.jpg", data)
    decision = shared.replaced("gate/dropped.jpg")
    assert path.read_bytes() != data
    assert path.stat().st_size == decision.bytes_after < decision.bytes_before == len(data)
    until(lambda: re.search("STATUS=.* [1-9][0-9]* replaced", "\n".join(daemon.messages)), "STATUS tells of it")

    row = json.loads(shared.run("decisions", "--json", "--path", "gate/dropped.jpg").stdout)
    assert (row["path"], row["camera"], row["keeper"]) == ("gate/dropped.jpg", "gate", "t1k")
    assert row["sha256_after"] == decision.sha256_after
    report = json.loads(shared.run("report", "--json").stdout)
    assert report["replaced"] >= 1


def test_a_folder_that_is_moved_in_is_taken_with_all_that_is_in_it(shared, daemon, drawn):
    outside = shared.folder / "card"
    (outside / "day/night").mkdir(parents=True)
    (outside / "day/one.jpg").write_bytes(drawn(2))
    (outside / "day/night/two.jpg").write_bytes(drawn(3))
    outside.rename(shared.root / "yard")
    shared.replaced("yard/day/one.jpg")
    shared.replaced("yard/day/night/two.jpg")
    (shared.root / "yard/day/night/three.jpg").write_bytes(drawn(4))
    assert not shared.replaced("yard/day/night/three.jpg").missed_by_watcher


def test_an_upload_under_a_temporary_name_is_left_alone_until_it_has_its_own(shared, daemon, drawn):
    upload = shared.put("gate/upload.jpg.part", data := drawn(5))
    shared.put("gate/witness.jpg", drawn(6))
    shared.replaced("gate/witness.jpg")  # it came later, so the upload had its chance
    assert upload.read_bytes() == data
    upload.rename(shared.root / "gate/upload.jpg")
    shared.replaced("gate/upload.jpg")
    assert not shared.decisions("gate/upload.jpg.part")


def test_a_slow_upload_with_an_old_mtime_is_not_touched_until_it_is_done(shared, daemon, drawn):
    data, path = drawn(7), shared.root / "gate/slow.jpg"
    piece = len(data) // 20 + 1
    with path.open("wb") as file:
        for start in range(0, len(data), piece):
            file.write(data[start : start + piece])
            file.flush()
            os.utime(file.fileno(), (1_000_000_000, 1_000_000_000))
            assert path.read_bytes() == data[: start + piece]
            time.sleep(0.06)
    decision = shared.replaced("gate/slow.jpg")
    assert decision.bytes_before == len(data)
    assert len(shared.decisions("gate/slow.jpg")) == 1
    assert path.stat().st_mtime == 1_000_000_000


def test_all_that_lies_around_the_pixels_survives(shared, daemon, drawn):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Camera works", "Model 7"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    data = drawn(8, exif=exif, icc_profile=profile, comment=b"gate 7", xmp=xmp)
    waiting = shared.put("gate/rich.jpg.tmp", data)
    os.setxattr(waiting, "user.camera", b"gate 7")
    waiting.chmod(0o640)
    os.utime(waiting, ns=(1_600_000_000_123_456_789, 1_500_000_000_987_654_321))
    before = waiting.stat()
    path = waiting.rename(shared.root / "gate/rich.jpg")
    shared.replaced("gate/rich.jpg")

    kept, after = path.read_bytes(), path.stat()
    assert len(kept) < len(data)
    assert len(segments(data)) == 4
    assert segments(kept) == segments(data)
    assert Image.open(io.BytesIO(kept)).getexif() == exif
    assert (after.st_mode, after.st_uid, after.st_mtime_ns) == (before.st_mode, before.st_uid, before.st_mtime_ns)
    assert os.getxattr(path, "user.camera") == b"gate 7"


@pytest.mark.parametrize(
    "name",
    [
        b"new\nline.jpg",
        b"caf\xe9.jpg",
        b"\x1b[31mred.jpg",
        b"-rf --.jpg",
        b"quote'\"$(id).jpg",
        b"n" * 251 + b".jpg",
    ],
)
def test_a_hostile_name_is_only_a_name(shared, daemon, drawn, name):
    relative = os.fsdecode(b"odd/" + name)
    shared.put(relative, drawn(9))
    assert shared.replaced(relative).bytes_after < shared.decided(relative).bytes_before


def test_a_name_that_is_not_utf8_is_printed_safely_and_given_exactly(shared, daemon, drawn):
    shared.put(os.fsdecode(b"exact/caf\xe9.jpg"), drawn(13))
    shared.decided(os.fsdecode(b"exact/caf\xe9.jpg"))
    (row,) = map(json.loads, shared.run("decisions", "--json", "--camera", "exact").stdout.splitlines())
    assert row["path"] == "exact/caf\\xe9.jpg"
    assert base64.b64decode(row["path_bytes"]) == b"exact/caf\xe9.jpg"


def test_what_is_no_picture_is_kept_with_its_reason(shared, daemon, drawn):
    shared.put("gate/text.jpg", b"no picture at all")
    shared.put("gate/half.jpg", drawn(10)[:5000])
    cmyk = io.BytesIO()
    Image.new("CMYK", (64, 64), (10, 20, 30, 40)).save(cmyk, "JPEG")
    shared.put("gate/print.jpg", cmyk.getvalue())
    (shared.root / "gate/link.jpg").symlink_to(shared.config)
    os.link(shared.root / "gate/text.jpg", shared.root / "gate/second-name.jpg")
    expected = {
        "half": Reason.TRUNCATED,
        "print": Reason.CMYK,
        "link": Reason.SYMLINK,
        "second-name": Reason.HARD_LINKED,
    }
    assert {name: shared.decided(f"gate/{name}.jpg").reason for name in expected} == expected
    assert shared.config.read_text().startswith("[watch]")


def test_status_tells_of_the_daemon(shared, daemon):
    status = json.loads(shared.run("status", "--json").stdout)
    assert status["alive"]
    assert status["daemon"]["pid"] == daemon.process.pid
    assert status["daemon"]["watching"] == "everything"


def test_nothing_foreign_is_seen_in_a_camera_folder(shared, daemon, drawn):
    shared.put("clean/one.jpg", drawn(14))
    shared.replaced("clean/one.jpg")
    assert [path.name for path in (shared.root / "clean").iterdir()] == ["one.jpg"]
    assert stat.S_IMODE((shared.root / ".framekeep").stat().st_mode) == 0o700
    assert not list(shared.staged.iterdir())


def test_a_second_daemon_is_refused(shared, daemon):
    second = shared.run("run")
    assert second.returncode == 11
    assert "another framekeep works on" in second.stderr


def test_a_sweep_beside_it_is_refused_and_a_dry_run_is_not(shared, daemon):
    assert shared.run("sweep").returncode == 11
    before = len(shared.decisions())
    rehearsed = shared.run("sweep", "--dry-run", "--json")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert json.loads(rehearsed.stdout)["dry_run"]
    assert len(shared.decisions()) == before


def test_a_restored_picture_is_the_very_file_that_the_camera_wrote(shared, daemon, until, drawn):
    waiting = shared.put("gate/wanted.jpg.tmp", data := drawn(11))
    os.utime(waiting, ns=(1_400_000_000_000_000_001, 1_400_000_000_000_000_002))
    before = waiting.stat()
    path = waiting.rename(shared.root / "gate/wanted.jpg")
    shared.replaced("gate/wanted.jpg")
    assert path.stat().st_ino != before.st_ino
    restored = shared.run("restore", path)
    assert restored.returncode == 0, restored.stderr
    after = path.stat()
    assert path.read_bytes() == data
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    time.sleep(1.5)  # the daemon hears of it, and knows it
    assert path.read_bytes() == data
    assert [decision.reason for decision in shared.decisions("gate/wanted.jpg")][-1] is Reason.RESTORED


def test_what_framekeep_does_itself_is_no_news(shared, daemon, drawn):
    shared.put("gate/once.jpg", drawn(15))
    shared.replaced("gate/once.jpg")
    shared.put("gate/witness-of-once.jpg", drawn(16))
    shared.replaced("gate/witness-of-once.jpg")  # it came later, so the exchange of the first has settled
    assert len(shared.decisions("gate/once.jpg")) == 1


def test_the_watchdog_is_fed_and_it_ends_when_it_is_told_to(shared, daemon, until):
    fed = sum(message == "WATCHDOG=1" for message in daemon.messages)
    until(lambda: sum(message == "WATCHDOG=1" for message in daemon.messages) > fed, "the watchdog is fed")
    assert daemon.stop() == 0
    assert daemon.told("STOPPING=1")
    assert shared.pending() == 0
    assert not json.loads(shared.run("status", "--json").stdout)["alive"]
