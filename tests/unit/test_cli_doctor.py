"""The checks of framekeep doctor, each on what it looks at."""

import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from cli.main import run
from daemon.checks.check import Check, State
from daemon.checks.examining import _roots
from daemon.checks.filesystem import filesystem_of, is_remote
from daemon.checks.ledger import check_ledger
from daemon.checks.machine import check_owners, check_squeezer, check_watches
from daemon.checks.policies import check_policies
from daemon.checks.roots import check_root, check_vault
from daemon.config.schema import Config
from daemon.names import NameFilter
from framekeep.errors import ConfigurationError
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.opening import open_writer
from storage.records import Draft, Place, Settings
from storage.root import Root

NAMES = NameFilter()
T1K = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", True, "model", "ab")


def states(checks: list[Check]) -> dict[str, State]:
    return {check.name: check.state for check in checks}


def test_a_list_of_faults_is_told_on_one_line():
    check = Check.failed("roots", ConfigurationError("2 errors\n  one\n  two"))
    assert (check.sentence, check.exit_code) == ("2 errors; one; two", 10)


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    lines = (
        "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
        f"22 21 0:30 / {tmp_path}/my\\040nas rw shared:2 master:1 - nfs4 nas:/ rw",
        f"23 21 0:31 / {tmp_path}/twice rw - xfs /dev/sdb rw",
        f"24 23 0:32 / {tmp_path}/twice rw - btrfs /dev/sdc rw",
    )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [("", "ext4"), ("my nas/gate", "nfs4"), ("my nas2", "ext4"), ("twice/gate/1.jpg", "btrfs")],
)
def test_a_path_lies_on_the_deepest_and_latest_mount_above_it(path: str, kind: str, tmp_path: Path, mounts: Path):
    assert filesystem_of(tmp_path / path, mounts) == kind


def test_a_link_is_followed_to_its_filesystem(tmp_path: Path, mounts: Path):
    (tmp_path / "my nas").mkdir()
    (tmp_path / "link").symlink_to("my nas")
    assert filesystem_of(tmp_path / "link", mounts) == "nfs4"


def test_without_the_kernels_word_a_filesystem_is_unknown(tmp_path: Path):
    assert filesystem_of(tmp_path, tmp_path / "nothing") == "unknown"


def test_the_real_kernel_tells_the_filesystem_of_proc():
    assert filesystem_of(Path("/proc/self")) == "proc"


@pytest.mark.parametrize(("kind", "remote"), [("nfs4", True), ("fuse.sshfs", True), ("ext4", False), ("tmpfs", False)])
def test_what_others_write_to(kind: str, remote: bool):
    assert is_remote(kind) is remote


def test_a_root_is_probed_and_nothing_stays(tmp_path: Path):
    (tmp_path / "gate").mkdir()
    assert states(list(check_root(tmp_path, 10, 0)))["exchange"] is State.OK
    assert [path.name for path in tmp_path.iterdir()] == ["gate"]


def test_a_root_in_use_is_probed_in_its_own_folder(tmp_path: Path):
    with Root(str(tmp_path)) as root:
        root.lock()
        assert states(list(check_root(tmp_path, 10, 0)))["exchange"] is State.OK
        assert not list((tmp_path / ".framekeep" / "staged").iterdir())


def test_a_root_where_nothing_can_be_exchanged_is_a_fault():
    exchange = next(check for check in check_root(Path("/proc/self"), 10, 0) if check.name == "exchange")
    assert (exchange.state, exchange.exit_code) == (State.FAULT, 10)
    assert "cannot be exchanged in one step" in exchange.sentence


def test_an_open_vault_is_a_fault(tmp_path: Path):
    (tmp_path / ".framekeep").mkdir(mode=0o755)
    exchange = next(check for check in check_root(tmp_path, 10, 0) if check.name == "exchange")
    assert exchange.state is State.FAULT
    assert "chmod 700" in exchange.sentence


def test_the_vault_of_a_root_in_use_is_there(tmp_path: Path):
    Root(str(tmp_path)).close()
    assert check_vault(tmp_path, {str(tmp_path)}).state is State.OK


def test_a_new_root_needs_no_vault_and_is_given_none(tmp_path: Path):
    check = check_vault(tmp_path, set())
    assert (check.state, "the first start makes" in check.sentence) == (State.OK, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("made", ["", ".framekeep"])
def test_a_vault_that_is_gone_is_a_fault(made: str, tmp_path: Path):
    (tmp_path / made).mkdir(mode=0o700, exist_ok=True)
    check = check_vault(tmp_path, {str(tmp_path)})
    assert (check.state, check.exit_code, "is its disk mounted?" in check.sentence) == (State.FAULT, 10, True)
    assert [path.name for path in tmp_path.iterdir()] == [made] * bool(made)


def test_a_vault_that_is_no_folder_is_a_fault(tmp_path: Path):
    (tmp_path / ".framekeep").touch()
    check = check_vault(tmp_path, set())
    assert (check.state, "Not a directory" in check.sentence) == (State.FAULT, True)


@pytest.mark.parametrize("is_readable", [True, False])
def test_the_doctor_makes_no_vault_anew(is_readable: bool, tmp_path: Path):
    """The next start would not miss it, and all originals would seem to be deleted."""
    root, ledger = tmp_path / "in", f"sqlite:///{tmp_path}/ledger.sqlite"
    root.mkdir()
    Root(str(root)).close()
    with open_writer(ledger) as writer:
        writer.know_roots([str(root)])
    (root / ".framekeep" / "vault").rmdir()
    config = Config.model_validate({"watch": {"roots": [root]}, "ledger": {"url": ledger}})
    if not is_readable:
        (tmp_path / "ledger.sqlite").write_bytes(b"damaged")
    found = states(list(_roots(config, [root])))
    assert (found["vault"] is State.FAULT) is is_readable
    assert not (root / ".framekeep" / "vault").exists()


@pytest.mark.parametrize(("limit", "state"), [("100", State.OK), ("5", State.OK), ("4", State.WARNING)])
def test_folders_are_counted_against_the_limit_of_watches(limit: str, state: State, tmp_path: Path):
    (tmp_path / "limit").write_text(limit)
    for folder in ("root/gate/a", "root/gate/b", "root/.hidden/c", "root/.framekeep/vault"):
        (tmp_path / folder).mkdir(parents=True)
    check = check_watches([tmp_path / "root"], NAMES, tmp_path / "limit")
    assert check.state is state
    assert check.sentence.startswith("4 folders")
    assert ("sysctl -w fs.inotify.max_user_watches=8" in check.sentence) is (state is State.WARNING)


def test_a_hidden_limit_of_watches_is_no_fault(tmp_path: Path):
    assert check_watches([tmp_path], NAMES, tmp_path / "nothing").state is State.OK


@pytest.mark.parametrize(
    ("capabilities", "owner", "state"),
    [
        ("000001ffffffffff", 12345, State.OK),
        ("000000000000000b", 12345, State.OK),
        ("0000000000000000", None, State.OK),
        ("0000000000000000", 12345, State.WARNING),
        ("000000000000000a", 12345, State.WARNING),
    ],
)
def test_foreign_pictures_take_capabilities(capabilities: str, owner: int | None, state: State, tmp_path: Path):
    (tmp_path / "status").write_text(f"Name:\tpython\nCapEff:\t{capabilities}\nCapBnd:\t000001ffffffffff\n")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "1.jpg").touch()
    if owner is not None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        os.chown(tmp_path / "root" / "1.jpg", owner, owner)
    check = check_owners([tmp_path / "root"], NAMES, tmp_path / "status")
    assert check.state is state
    assert ("12345" in check.sentence and "CAP_CHOWN" in check.sentence) is (state is State.WARNING)


def test_the_squeezers_child_works():
    assert check_squeezer().state is State.OK


def test_a_missing_ledger_is_no_fault_and_is_not_made(tmp_path: Path):
    check = check_ledger(f"sqlite:///{tmp_path}/var/ledger.sqlite")
    assert check.state is State.OK
    assert f"the first start makes {tmp_path}/var/ledger.sqlite" in check.sentence
    assert not list(tmp_path.iterdir())


def test_a_sound_ledger_is_ok(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    open_writer(url).close()
    assert check_ledger(url).state is State.OK


def test_a_file_that_is_no_ledger_is_a_fault(tmp_path: Path):
    (tmp_path / "ledger.sqlite").write_text("rubbish " * 1000)
    check = check_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    assert (check.state, check.exit_code) == (State.FAULT, 13)
    assert "is not a SQLite database" in check.sentence


def test_a_damaged_ledger_is_a_fault(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    identity = FileIdentity(1, 2, 3, 4)
    with closing(open_writer(url)) as writer:
        places = [Place("/srv", f"gate/{number}.jpg") for number in range(2000)]
        writer.record([Draft(place, T1K, Reason.NOT_JPEG, identity, datetime.now(UTC)) for place in places])
    with (tmp_path / "ledger.sqlite").open("r+b") as file:
        file.seek(-(2**16), os.SEEK_END)
        file.write(b"\xff" * 2**15)
    check = check_ledger(url)
    assert (check.state, check.exit_code) == (State.FAULT, 13)
    assert "damaged" in check.sentence


def test_a_broken_configuration_is_all_that_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "config.toml").write_text("[watch]\nsettle_seconds = 0\nbogus = 1\n")
    assert run(["doctor", "--json", "--config", str(tmp_path / "config.toml")]) == 10
    structlog.reset_defaults()
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["name"], line["state"]) == ("configuration", "fault")
    assert "settle_seconds" in line["sentence"]
    assert "bogus" in line["sentence"]


def test_policies_are_checked_and_nothing_in_them_is_a_fault(tmp_path: Path):
    def checked(**sections: object) -> list[tuple[str, State]]:
        given = Config.model_validate({"watch": {"roots": [str(tmp_path)]}, **sections})
        return [(check.name, check.state) for check in check_policies(given)]

    gate = {"match": "gate/**", "vault_days": 1}
    assert checked() == []
    assert checked(policy=[gate]) == [("policies", State.WARNING)]
    (tmp_path / "gate").mkdir()
    assert checked(policy=[gate]) == [("policies", State.OK)]
    assert checked(selection={"hours": "01:00-02:00"}) == [("hours", State.WARNING)]
    assert checked(selection={"hours": "01:00-02:00"}, holds={"timezone": "UTC"}) == [("hours", State.OK)]
