"""Every state that a crash can leave has one outcome: the table of storage/recovery.py, row by row."""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from framekeep.reasons import Reason
from storage import sidecar
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.reading import read
from storage.records import Draft, Place, Planned, Restoration, Settings, VaultEntry
from storage.recovery import Recovered, recover
from storage.replacement import Swap, stage, swap_in
from storage.root import Root

ORIGINAL = b"the camera's bytes"
VARIANT = b"variant"
ENTRY = "entry"


class Rows:
    """A journal with one row, in memory: what is tested here are the files."""

    def __init__(self, *planned: Planned):
        self.planned = list(planned)
        self.confirmed: list[tuple[int, FileIdentity]] = []
        self.abandoned: list[tuple[int, Reason, str]] = []
        self.begun: list[Restoration] = []
        self.restored: list[tuple[int, FileIdentity, datetime]] = []
        self.forgone: list[int] = []

    def pending(self) -> list[Planned]:
        return list(self.planned)

    def confirm(self, confirmations: Sequence[tuple[int, FileIdentity]]) -> None:
        self.confirmed += confirmations
        self.planned.clear()

    def abandon(self, abandonments: Sequence[tuple[int, Reason, str]]) -> None:
        self.abandoned += abandonments
        self.planned.clear()

    def was_made(self, entry: str, sha256: bytes) -> bool:  # noqa: ARG002 - the protocol's arguments
        return False

    def restorations(self) -> list[Restoration]:
        return list(self.begun)

    def restore(self, decision: int, identity: FileIdentity, at: datetime) -> int:
        self.restored.append((decision, identity, at))
        self.begun.clear()
        return decision + 1

    def forgo(self, decision: int) -> None:
        self.forgone.append(decision)
        self.begun.clear()


class Crash:
    """A replacement that stopped somewhere."""

    def __init__(self, root: Root, folder: Path):
        self.root = root
        self.picture = folder / "gate" / "1.jpg"
        self.picture.parent.mkdir()
        self.picture.write_bytes(ORIGINAL)
        identity = read(root, "gate/1.jpg", 1000).identity
        mark = Mark(hashlib.sha256(ORIGINAL).digest(), hashlib.sha256(VARIANT).digest(), ENTRY)
        self.swap = Swap("gate/1.jpg", identity, mark)
        self.rows = Rows(Planned(7, Place(root.path, "gate/1.jpg"), identity, mark.original, mark.variant, ENTRY))
        self.staged, self.vault, self.strangers = (
            folder / ".framekeep" / name for name in ("staged", "vault", "strangers")
        )

    def exchange(self):
        """The exchange alone, as renameat2 does it."""
        between = self.picture.with_name("between")
        self.picture.rename(between)
        (self.staged / ENTRY).rename(self.picture)
        between.rename(self.staged / ENTRY)

    def recover(self) -> Recovered:
        """Recovers twice: the second time there is nothing left to do."""
        done = recover(self.rows, [self.root])
        assert recover(self.rows, [self.root]) == Recovered()
        assert not list(self.staged.iterdir())
        return done


@pytest.fixture
def crash(tmp_path: Path):
    with Root(str(tmp_path)) as root:
        yield Crash(root, tmp_path)


def test_before_the_exchange(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    assert crash.recover() == Recovered(abandoned=1)
    assert crash.picture.read_bytes() == ORIGINAL
    assert crash.rows.abandoned[0][:2] == (7, Reason.UNSETTLED)


def test_between_the_exchange_and_the_vault(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    crash.exchange()
    assert crash.recover() == Recovered(confirmed=1)
    assert crash.picture.read_bytes() == VARIANT
    assert (crash.vault / ENTRY).read_bytes() == ORIGINAL
    assert crash.rows.confirmed == [(7, FileIdentity.of(crash.picture.stat()))]


def test_between_the_vault_and_the_confirmation(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    swap_in(crash.root, crash.swap)
    assert crash.recover() == Recovered(confirmed=1)
    assert crash.picture.read_bytes() == VARIANT
    assert (crash.vault / ENTRY).read_bytes() == ORIGINAL


def test_the_camera_replaced_the_variant_before_the_restart(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    crash.exchange()
    crash.picture.write_bytes(b"the next picture")
    assert crash.recover() == Recovered(confirmed=1)
    assert crash.picture.read_bytes() == b"the next picture"
    assert (crash.vault / ENTRY).read_bytes() == ORIGINAL


def test_a_stranger_came_out(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    crash.picture.write_bytes(b"a stranger")
    crash.exchange()
    assert crash.recover() == Recovered(abandoned=1)
    assert crash.picture.read_bytes() == b"a stranger"


def test_a_stranger_came_out_and_something_newer_came(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    crash.picture.write_bytes(b"a stranger")
    crash.exchange()
    crash.picture.write_bytes(b"newer")
    assert crash.recover() == Recovered(abandoned=1)
    assert crash.picture.read_bytes() == b"newer"
    assert (crash.strangers / ENTRY).read_bytes() == b"a stranger"


def test_a_folder_came_out(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    crash.picture.unlink()
    crash.picture.mkdir()
    (crash.picture / "inside").write_bytes(b"inside")
    crash.exchange()
    assert crash.recover() == Recovered(abandoned=1)
    assert (crash.picture / "inside").read_bytes() == b"inside"


def test_after_the_variant_was_removed(crash: Crash):
    assert crash.recover() == Recovered(abandoned=1)
    assert crash.picture.read_bytes() == ORIGINAL


def test_a_variant_that_was_never_planned_goes(crash: Crash):
    crash.rows.planned.clear()
    stage(crash.root, crash.swap, VARIANT)
    assert crash.recover() == Recovered(removed=1)
    assert crash.picture.read_bytes() == ORIGINAL


def test_half_a_variant_goes(crash: Crash):
    crash.rows.planned.clear()
    (crash.staged / f"{ENTRY}.part").write_bytes(VARIANT[:3])
    assert crash.recover() == Recovered(removed=1)


def test_an_empty_file_that_nobody_knows_is_set_aside(crash: Crash):
    crash.rows.planned.clear()
    (crash.staged / ENTRY).touch()
    assert crash.recover() == Recovered(set_aside=1)


def test_with_a_lost_ledger_an_original_in_staged_is_never_removed(crash: Crash):
    crash.rows.planned.clear()
    stage(crash.root, crash.swap, VARIANT)
    crash.exchange()
    assert crash.recover() == Recovered(set_aside=1)
    assert (crash.strangers / ENTRY).read_bytes() == ORIGINAL
    assert crash.picture.read_bytes() == VARIANT


def test_what_is_no_file_is_set_aside(crash: Crash):
    crash.rows.planned.clear()
    (crash.staged / "link").symlink_to("elsewhere")
    os.mkfifo(crash.staged / "fifo")
    assert crash.recover() == Recovered(set_aside=2)


def test_rows_of_other_roots_are_left_alone(crash: Crash):
    other = Planned(9, Place("/elsewhere", "a.jpg"), crash.swap.read, b"", b"", "other")
    assert recover(Rows(other), [crash.root]) == Recovered()


def sidecar_of(crash: Crash) -> str:
    """Writes one as before a stage, and gives its name."""
    settings = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", progressive=True, model="none", model_digest="")
    swap, decided = crash.swap, datetime(2026, 3, 1, tzinfo=UTC)
    draft = Draft(Place(crash.root.path, swap.path), settings, Reason.QUALIFIED, swap.read, decided, vault_entry=ENTRY)
    sidecar.stage(crash.root, draft)
    return sidecar.name_of(ENTRY)


def test_a_sidecar_goes_with_the_original_to_the_vault(crash: Crash):
    name = sidecar_of(crash)
    stage(crash.root, crash.swap, VARIANT)
    crash.exchange()
    assert crash.recover() == Recovered(confirmed=1)
    assert (crash.vault / name).exists()


def test_a_sidecar_that_came_late_goes_after_its_original(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    swap_in(crash.root, crash.swap)
    name = sidecar_of(crash)
    assert crash.recover() == Recovered(confirmed=1)
    assert (crash.vault / name).exists()


@pytest.mark.parametrize("planned", [True, False])
def test_a_sidecar_without_an_exchange_goes(crash: Crash, planned: bool):
    if not planned:
        crash.rows.planned.clear()
    sidecar_of(crash)
    stage(crash.root, crash.swap, VARIANT)
    crash.recover()
    assert not list(crash.vault.iterdir())


def test_a_sidecar_tells_of_what_is_set_aside(crash: Crash):
    crash.rows.planned.clear()
    name = sidecar_of(crash)
    stage(crash.root, crash.swap, VARIANT)
    crash.exchange()
    assert crash.recover() == Recovered(set_aside=1)
    assert sorted(path.name for path in crash.strangers.iterdir()) == [ENTRY, name]


def test_an_interrupted_restoration_is_ended_too(crash: Crash):
    stage(crash.root, crash.swap, VARIANT)
    swap_in(crash.root, crash.swap)
    crash.recover()
    mark, decided = crash.swap.mark, datetime(2026, 3, 1, tzinfo=UTC)
    sizes = (len(ORIGINAL), len(VARIANT))
    held = VaultEntry(7, Place(crash.root.path, "gate/1.jpg"), ENTRY, mark.original, mark.variant, *sizes, decided)
    crash.rows.begun.append(Restoration(held, decided))
    os.link(crash.vault / ENTRY, crash.staged / ENTRY)
    crash.exchange()
    assert crash.recover() == Recovered(restored=1)
    assert crash.picture.read_bytes() == ORIGINAL
    assert crash.rows.restored == [(7, FileIdentity.of(crash.picture.stat()), decided)]
