"""A picture that was moved to where framekeep cannot look just now is not taken for deleted."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import daemon.following
from daemon.following import follow_deletes, orphans
from daemon.releasing import Vaults
from storage.attribute import NAME
from storage.holds import HoldBook
from storage.ledger.opening import open_reader, open_writer
from storage.root import Root

NOBODY = 65534


@pytest.fixture
def other(swept) -> Path:
    """A second root, to which a picture was moved."""
    other = swept.folder / "other"
    (other / "gate").mkdir(parents=True)
    swept.configure(vault={"floor_megabytes": 0}, watch={"settle_seconds": 0.1, "roots": ["incoming", "other"]})
    assert swept.run("release") == 0
    swept.path("gate/1.jpg").rename(other / "gate/1.jpg")
    return other


@pytest.fixture
def told(swept) -> Callable[[], list[str]]:
    """Looks for orphans as the daemon does, with every configured root; says what the log says of it."""

    def look() -> list[str]:
        with ExitStack() as opened, capture_logs() as logs:
            roots = {str(path): opened.enter_context(Root(str(path))) for path in swept.config.watch.roots}
            reader = opened.enter_context(open_reader(swept.config.ledger.url))
            assert orphans(reader, roots) == []
        return [line["why"] for line in logs if line["event"] == "deletes_not_followed"]

    return look


@pytest.fixture
def unprivileged(site) -> Iterator:
    """A site of another user, as whom all is done where the tests run as root, who may read everything."""
    site.add("gate/1.jpg", b"no picture")
    site.sweep()  # loads all that it takes, which that user perhaps may not read
    with tempfile.TemporaryDirectory() as name:
        theirs = type(site)(Path(name))
        theirs.configure(vault={"floor_megabytes": 0})
        theirs.root.mkdir()
        if os.geteuid() != 0:
            yield theirs
            return
        for owned in (theirs.folder, theirs.root):
            os.chown(owned, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield theirs
        finally:
            os.seteuid(0)


def test_it_was_moved_to_a_root_that_is_not_mounted_now(swept, other, capsys):
    before = swept.in_vault()
    assert swept.run("release") == 0
    assert swept.in_vault() == before
    assert capsys.readouterr().err == ""
    other.rename(swept.folder / "away")
    other.mkdir()
    for _ in range(2):  # nothing that the first one makes lets the second take it for mounted
        assert swept.run("release") == 10
        assert swept.in_vault() == before
    assert f"{other} is not the folder that it was, or its vault cannot be entered" in capsys.readouterr().err


def test_it_was_moved_to_a_root_that_is_unmounted_while_the_daemon_runs(swept, other):
    with ExitStack() as opened:
        roots = {path: opened.enter_context(Root(path)) for path in map(str, (swept.root, other))}
        writer = opened.enter_context(open_writer(swept.config.ledger.url))
        reader = opened.enter_context(open_reader(swept.config.ledger.url))
        vaults = Vaults(roots, HoldBook(reader, swept.config.holds.rules))
        swept.path("gate2/3.jpg").unlink()
        (deleted,) = orphans(reader, roots)
        assert deleted.place.path == "gate2/3.jpg"
        other.rename(swept.folder / "away")
        (other / ".framekeep/vault").mkdir(parents=True)
        assert orphans(reader, roots) == []
        assert follow_deletes(writer, vaults, [deleted], datetime.now(UTC)).originals == 0
    assert len(swept.in_vault()) == 2 * len(swept.originals)


def test_it_is_moved_to_a_root_that_is_unmounted_before_the_last_walk_comes_there(
    swept, other, told, monkeypatch: pytest.MonkeyPatch
):
    (other / "gate/1.jpg").rename(other.parent / "late.jpg")
    walk, walked = daemon.following.walk, []

    def walk_late(root: str, *arguments, **options):
        walked.append(root)
        if walked.count(str(other)) == 2:
            (other.parent / "late.jpg").rename(other / "gate/1.jpg")
            other.rename(swept.folder / "away")
            other.mkdir()
        return walk(root, *arguments, **options)

    monkeypatch.setattr(daemon.following, "walk", walk_late)
    assert [f"{other} is not the folder that it was" in why for why in told()] == [True]


def test_it_was_moved_to_a_filesystem_that_is_mounted_below_the_root(swept, told):
    mounted = swept.path("mounted")
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", mounted], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        (mounted / "1.jpg").write_bytes(swept.path("gate/1.jpg").read_bytes())
        swept.path("gate/1.jpg").unlink()
        assert told() == ["another filesystem is mounted below a root, and pictures may have been moved there"]
    finally:
        subprocess.run(["umount", mounted], check=True)


def test_it_was_moved_and_cannot_be_read(unprivileged, photograph):
    picture = unprivileged.add("gate/1.jpg", photograph(1))
    assert unprivileged.sweep().tally.replaced == 1
    moved = picture.rename(unprivileged.path("moved.jpg"))
    moved.chmod(0)
    with ExitStack() as opened, capture_logs() as logs:
        root = opened.enter_context(Root(str(unprivileged.root)))
        reader = opened.enter_context(open_reader(unprivileged.config.ledger.url))
        assert orphans(reader, {root.path: root}) == []
        assert [(line["event"], line.get("path"), line["why"]) for line in logs] == [
            ("passed_over", "moved.jpg", "unreadable"),
            (
                "deletes_not_followed",
                None,
                "some folder or file cannot be read, and pictures may have been moved there",
            ),
        ]
        moved.unlink()
        assert len(orphans(reader, {root.path: root})) == 1


@pytest.mark.parametrize("marked", [True, False])
def test_it_was_moved_and_linked(swept, told, marked: bool):
    moved = swept.path("gate/1.jpg").rename(swept.path("yard/moved.jpg"))
    swept.path("yard/also.jpg").hardlink_to(moved)
    if not marked:
        os.removexattr(moved, NAME)
    assert told() == []
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * len(swept.originals)


def test_it_is_moved_behind_the_walk(swept, told, monkeypatch: pytest.MonkeyPatch):
    """From a folder that was not walked yet to one that was."""
    swept.path("gate/1.jpg").rename(swept.path("late.jpg"))
    walk = daemon.following.walk

    def walk_and_move(*arguments, **options):
        for files in walk(*arguments, **options):
            late = [file for file in files if file.path == "late.jpg"]
            yield [file for file in files if file not in late]
        if late_path.exists():
            late_path.rename(swept.path("gate2/early.jpg"))

    late_path = swept.path("late.jpg")
    monkeypatch.setattr(daemon.following, "walk", walk_and_move)
    assert told() == []
    assert not late_path.exists()


def test_links_pipes_and_other_oddities_stop_nothing(swept):
    os.mkfifo(swept.path("gate/pipe.jpg"))
    swept.path("gate/link.jpg").symlink_to("nowhere")
    swept.path("gate/1.jpg").unlink()
    assert swept.run("release") == 0
    assert len(swept.in_vault()) == 2 * (len(swept.originals) - 1)
