"""Whole starts, sweeps and restorations on filesystems that cannot exchange two files: a kernel that answers so."""

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from benchmarks.torture.blink import Blink
from benchmarks.torture.diary import Diary
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import SETTLE_SECONDS, config_of, ended, forked, racy_config_of, start
from benchmarks.torture.refusing import on, possible, refuse
from benchmarks.torture.running import checked
from benchmarks.torture.site import Site
from daemon.checks.check import Check, State
from daemon.checks.roots import check_root
from daemon.config.schema import Config
from daemon.house import opened
from daemon.restoring import restorable, restore_all
from framekeep.errors import ConfigurationError
from storage.ledger.answers import Held
from storage.root import Root

pytestmark = pytest.mark.skipif(not possible(), reason="this machine has no seccomp")

COUNT = 4
Facts = tuple[int, int, int, int, int]


@pytest.fixture(params=["exfat", "nfs"])
def filesystem(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A camera has delivered a few pictures that have settled."""
    site = Site(tmp_path / "site").make()
    (site.root / "gate").mkdir()
    diary = Diary(site, "gate")
    for number in range(COUNT):
        path = site.root / f"gate/{number}.jpg"
        diary.note(f"gate/{path.name}", drawn(number))
        path.write_bytes(drawn(number))
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 4321, 8765)
        os.utime(path, ns=(1_500_000_000_000000000, 1_600_000_000_000000000 + number))
    time.sleep(SETTLE_SECONDS)
    return site


def swept(site: Site, filesystem: str, config: Config) -> int:
    """In a process of its own; its exit code."""

    def work() -> int:
        refuse(filesystem)
        return start(config)

    return ended(forked(site, work))


def pictures(site: Site) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (site.root / "gate").iterdir()}


def looks(site: Site) -> dict[str, Facts]:
    statuses = {path.name: path.stat() for path in (site.root / "gate").iterdir()}
    return {name: (s.st_uid, s.st_gid, s.st_mode, s.st_mtime_ns, s.st_nlink) for name, s in statuses.items()}


def test_a_start_is_refused_and_says_what_would_allow_it(site: Site, filesystem: str, capfd):
    before = pictures(site)
    assert swept(site, filesystem, config_of(site)) == 10
    assert "allow_racy_rename = true" in capfd.readouterr().out
    assert pictures(site) == before


def test_a_filesystem_that_can_do_neither_is_refused_whatever_is_allowed(site: Site, capfd):
    assert swept(site, "neither", racy_config_of(site)) == 10
    assert "neither exchange two files" in capfd.readouterr().out


def test_pictures_are_replaced_once_and_restored_bit_for_bit(site: Site, filesystem: str, capfd):
    config, before, faces = racy_config_of(site), pictures(site), looks(site)
    inodes = {path.name: path.stat().st_ino for path in (site.root / "gate").iterdir()}
    assert swept(site, filesystem, config) == 0
    assert "replaces_in_two_steps" in capfd.readouterr().err
    assert looks(site) == faces
    replaced = checked(site).counts["variant"]
    assert checked(site).counts == Counter(variant=replaced, original=COUNT - replaced)
    assert replaced > COUNT / 2

    after = pictures(site)
    assert swept(site, filesystem, config) == 0
    assert pictures(site) == after

    entries = restorable(config, Held(roots=(str(site.root),)))
    assert len(entries) == replaced
    assert [fault for _, fault in on(filesystem, lambda: list(restore_all(config, entries)))] == [None] * replaced
    assert pictures(site) == before
    assert looks(site) == faces
    assert {path.name: path.stat().st_ino for path in (site.root / "gate").iterdir()} == inodes
    assert not list((site.own / "vault").iterdir())
    assert not list((site.own / "staged").iterdir())

    assert swept(site, filesystem, config) == 0
    assert pictures(site) == before  # what was restored is left alone


def test_a_restoration_needs_the_same_permission(site: Site, filesystem: str):
    swept(site, filesystem, racy_config_of(site))
    entries = restorable(config_of(site), Held(roots=(str(site.root),)))
    with pytest.raises(ConfigurationError, match="allow_racy_rename"):
        on(filesystem, lambda: list(restore_all(config_of(site), entries)))


def test_where_files_can_be_exchanged_they_are(site: Site):
    with capture_logs() as logs, opened(racy_config_of(site), Blink()) as house:
        assert all(root.exchanges for root in house.roots.values())
    assert not [line for line in logs if line["event"] == "replaces_in_two_steps"]


@pytest.mark.parametrize(
    ("on_filesystem", "allowed", "state", "says"),
    [
        ("exfat", True, State.WARNING, "in two steps, since [watch] allow_racy_rename is set"),
        ("nfs", True, State.WARNING, "in two steps, since [watch] allow_racy_rename is set"),
        ("nfs", False, State.FAULT, "set [watch] allow_racy_rename = true"),
        ("neither", True, State.FAULT, "cannot be exchanged in one step"),
    ],
)
def test_doctor_tells(tmp_path: Path, on_filesystem: str, allowed: bool, state: State, says: str):
    def look() -> list[Check]:
        return list(check_root(tmp_path, 10, 0, allow_racy_rename=allowed))

    for _ in range(2):
        check = next(check for check in on(on_filesystem, look) if check.name == "exchange")
        assert check.state is state
        assert says in check.sentence
        assert check.exit_code == (10 if state is State.FAULT else 0)
        Root(str(tmp_path)).close()  # the second look is into framekeep's own folder
