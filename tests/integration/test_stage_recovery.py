"""What a crash can leave of a later stage has one outcome: the table of storage/recovery.py; and who is in the way."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.torture.scenes import ENTRY, LATER, ORIGINAL, PICTURE, VARIANT, Scene, released, replaced, restored
from framekeep.reasons import Kept, Reason
from storage import sidecar, succession, vault
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.ledger.opening import open_reader, open_writer
from storage.reading import read
from storage.records import Draft, Settings
from storage.recovery import Recovered, recover
from storage.replacement import Swap, stage

STAGE = Settings("t1k", 0.0, "10", 0.01, "4:2:0", True, "none", "", stage=30.0)


class Later(Scene):
    """A picture that was replaced, and a later stage that stopped somewhere."""

    def __init__(self, folder: Path):
        (folder / "incoming" / PICTURE).parent.mkdir(parents=True)
        (folder / "incoming" / PICTURE).write_bytes(ORIGINAL)
        super().__init__(folder)
        replaced(self)
        own = folder / "incoming" / ".framekeep"
        self.staged, self.vault, self.strangers = own / "staged", own / "vault", own / "strangers"
        self.first = self.held()

    def claim(self) -> int | None:
        picture = read(self.root, PICTURE, 9999)
        mark = Mark(self.first.sha256_before, hashlib.sha256(LATER).digest(), ENTRY)
        self.swap = Swap(PICTURE, picture.identity, mark, self.first.sha256_after)
        self.draft = Draft(
            *(self.place, STAGE, Reason.QUALIFIED, vault.identity_of(self.root, self.first), datetime.now(UTC)),
            bytes_after=len(LATER),
            sha256_before=mark.original,
            sha256_after=mark.variant,
            vault_entry=ENTRY,
            vault_days=1.0,
            succeeds=self.first.decision,
        )
        return self.ledger.plan_next(self.draft)

    def stage(self) -> int:
        decision = self.claim()
        assert decision
        sidecar.stage(self.root, self.draft)
        stage(self.root, self.swap, LATER)
        return decision

    def exchange(self):
        between = self.path.with_name("between")
        self.path.rename(between)
        (self.staged / ENTRY).rename(self.path)
        between.rename(self.staged / ENTRY)

    def swap_on(self) -> FileIdentity:
        with vault.locked(self.root):
            return succession.swap_on(self.root, self.swap)

    def recover(self) -> Recovered:
        """Twice: the second time there is nothing left to do."""
        done = recover(self.ledger, [self.root])
        assert recover(self.ledger, [self.root]) == Recovered()
        assert not list(self.staged.iterdir())
        assert (self.vault / ENTRY).read_bytes() == ORIGINAL
        return done

    def proved(self):
        with open_reader(self.url) as reader:
            assert reader.verify_chain() is None


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Later]:
    scene = Later(tmp_path)
    yield scene
    scene.proved()
    scene.ledger.close()
    scene.root.close()


def is_as_before(later: Later) -> bool:
    """And the camera's bytes can be had."""
    sidecar_tells = sidecar.load(later.root.vault, ENTRY, later.root.path).sha256_after
    assert sidecar_tells == later.first.sha256_after
    assert later.held() == later.first
    restored(later)
    return later.path.read_bytes() == ORIGINAL


def is_done(later: Later) -> bool:
    assert later.path.read_bytes() == LATER
    held = later.held()
    assert held.sha256_after == hashlib.sha256(LATER).digest()
    assert (held.decision, held.entry, held.bytes_before) == (later.first.decision + 1, ENTRY, len(ORIGINAL))
    assert sidecar.load(later.root.vault, ENTRY, later.root.path).sha256_after == held.sha256_after
    restored(later)
    return later.path.read_bytes() == ORIGINAL


def test_claimed_and_nothing_staged(later: Later):
    assert later.claim()
    assert later.recover() == Recovered(abandoned=1)
    assert is_as_before(later)


def test_only_the_sidecar_staged(later: Later):
    later.claim()
    sidecar.stage(later.root, later.draft)
    assert later.recover() == Recovered(abandoned=1)
    assert is_as_before(later)


def test_staged_and_not_exchanged(later: Later):
    later.stage()
    assert later.recover() == Recovered(abandoned=1)
    assert later.path.read_bytes() == VARIANT
    assert is_as_before(later)


def test_exchanged(later: Later):
    later.stage()
    later.exchange()
    assert later.recover() == Recovered(confirmed=1)
    assert is_done(later)


def test_exchanged_and_the_sidecar_moved(later: Later):
    later.stage()
    later.swap_on()
    assert later.recover() == Recovered(confirmed=1)
    assert is_done(later)


def test_confirmed_and_the_variant_before_not_deleted(later: Later):
    decision = later.stage()
    later.ledger.confirm([(decision, later.swap_on())])
    assert (later.staged / ENTRY).read_bytes() == VARIANT
    assert later.recover() == Recovered(removed=1)
    assert is_done(later)


def test_a_stranger_came_out(later: Later):
    later.stage()
    later.path.write_bytes(b"a stranger")
    later.exchange()
    assert later.recover() == Recovered(abandoned=1)
    assert later.path.read_bytes() == b"a stranger"
    assert later.held() == later.first


def test_a_stranger_came_out_and_something_newer_came(later: Later):
    later.stage()
    later.path.write_bytes(b"a stranger")
    later.exchange()
    later.path.write_bytes(b"newer")
    assert later.recover() == Recovered(abandoned=1)
    assert later.path.read_bytes() == b"newer"
    assert (later.strangers / ENTRY).read_bytes() == b"a stranger"
    assert later.held() == later.first


def test_the_camera_wrote_the_path_after_the_exchange(later: Later):
    later.stage()
    later.exchange()
    later.path.write_bytes(b"newer")
    assert later.recover() == Recovered(confirmed=1)
    assert later.path.read_bytes() == b"newer"
    assert sidecar.load(later.root.vault, ENTRY, later.root.path).sha256_after == hashlib.sha256(LATER).digest()


def test_what_stands_there_changed_before_the_exchange(later: Later):
    decision = later.stage()
    later.path.write_bytes(b"a stranger")
    with pytest.raises(Kept):
        later.swap_on()
    assert later.path.read_bytes() == b"a stranger"
    assert not (later.staged / ENTRY).exists()
    sidecar.drop(later.root.staged, ENTRY)
    later.ledger.abandon([(decision, Reason.UNSETTLED, "")])
    assert later.held() == later.first


def test_a_stranger_of_the_same_looks_is_exchanged_back(later: Later):
    """Same inode, size and time, but other bytes: only the hash that the ledger knows tells."""
    later.stage()
    other = VARIANT[::-1]
    status = later.path.stat()
    with later.path.open("r+b") as file:
        file.write(other)
    os.utime(later.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    later.swap = Swap(PICTURE, FileIdentity.of(later.path.stat()), later.swap.mark, later.swap.stood)
    with pytest.raises(Kept):
        later.swap_on()
    assert later.path.read_bytes() == other


def test_without_its_original_nothing_is_exchanged(later: Later):
    later.stage()
    shutil.move(later.vault / ENTRY, later.vault / "elsewhere")
    with pytest.raises(Kept, match="left the vault"):
        later.swap_on()
    assert later.path.read_bytes() == VARIANT
    shutil.move(later.vault / "elsewhere", later.vault / ENTRY)
    later.recover()


def test_while_it_is_under_way_nobody_releases_the_original(later: Later):
    decision = later.stage()
    released(later)
    assert (later.vault / ENTRY).read_bytes() == ORIGINAL
    later.ledger.confirm([(decision, later.swap_on())])
    succession.drop(later.root, ENTRY)
    assert not later.ledger.due(later.first.release_at, 1, [later.root.path]), "its days count anew"
    released(later)
    assert not (later.vault / ENTRY).exists()
    assert later.path.read_bytes() == LATER


def test_a_release_that_began_before_the_claim_finds_it_under_the_lock(later: Later):
    """It has listed what is due, and then the claim comes."""
    from daemon.releasing import Vaults, delete  # noqa: PLC0415 - slow to import
    from storage.holds import HoldBook  # noqa: PLC0415 - as above
    from storage.time_rules import TimeRules  # noqa: PLC0415 - as above

    now = later.first.release_at + timedelta(days=1)
    listed = later.ledger.due(now, 9, [later.root.path])
    assert later.claim()
    with open_reader(later.url) as reader:
        vaults = Vaults({later.root.path: later.root}, HoldBook(reader, TimeRules(UTC, ())))
        assert delete(later.ledger, vaults, listed, now).originals == 0
    assert (later.vault / ENTRY).read_bytes() == ORIGINAL
    later.recover()


def test_while_it_is_under_way_nobody_restores_and_the_other_way_round(later: Later):
    later.claim()
    assert not later.ledger.begin_restoration(later.first.decision, datetime.now(UTC))
    later.recover()
    assert later.ledger.begin_restoration(later.first.decision, datetime.now(UTC))
    assert later.claim() is None
    later.ledger.forgo(later.first.decision)
    assert later.claim()
    assert later.claim() is None, "only one at a time"
    later.recover()


def test_a_ledger_lost_between_exchange_and_sidecar_is_rebuilt_to_what_stands(later: Later):
    later.stage()
    later.exchange()
    succession.bring_sidecars_home(later.root)
    assert sidecar.load(later.root.vault, ENTRY, later.root.path).sha256_after == hashlib.sha256(LATER).digest()
    later.recover()


@pytest.mark.parametrize("has_mark", [True, False])
def test_a_start_with_a_new_ledger_keeps_what_a_rebuild_needs(later: Later, has_mark: bool):
    """Nothing is planned there; the variant before, where it has no mark, is a stranger then."""
    later.stage()
    later.exchange()
    if not has_mark:
        os.removexattr(later.staged / ENTRY, "user.framekeep")
    later.ledger.close()
    shutil.rmtree(later.folder / "var")
    later.ledger = open_writer(later.url)
    assert later.recover() == (Recovered(removed=1) if has_mark else Recovered(set_aside=1))
    told = sidecar.load(later.root.vault, ENTRY, later.root.path)
    assert (told.sha256_after, told.settings.stage) == (hashlib.sha256(LATER).digest(), STAGE.stage)
    assert not list(later.strangers.glob("*.json"))


def test_a_ledger_lost_before_the_exchange_is_rebuilt_to_what_stands(later: Later):
    later.stage()
    succession.bring_sidecars_home(later.root)
    assert sidecar.load(later.root.vault, ENTRY, later.root.path).sha256_after == later.first.sha256_after
    later.recover()


def test_what_was_set_aside_under_an_entry_s_name_stays_when_the_next_one_comes(later: Later):
    for content in (b"a stranger", b"another"):
        (later.staged / ENTRY).write_bytes(content)
        assert later.recover() == Recovered(set_aside=1)
    assert {path.name: path.read_bytes() for path in later.strangers.iterdir()} == {
        ENTRY: b"a stranger",
        f"{ENTRY}-2": b"another",
    }


def test_a_sidecar_that_came_aside_before_its_file_did_is_found_beside_it(later: Later):
    (later.strangers / ENTRY).write_bytes(b"a stranger")
    (later.strangers / f"{ENTRY}-2.json").write_text("{}")
    (later.staged / ENTRY).write_bytes(b"another")
    assert later.recover() == Recovered(set_aside=1)
    assert {path.name for path in later.strangers.iterdir()} == {ENTRY, f"{ENTRY}-2", f"{ENTRY}-2.json"}


def test_the_variant_before_is_known_by_the_ledger_where_it_has_no_mark(later: Later):
    os.removexattr(later.path, "user.framekeep")
    decision = later.stage()
    later.ledger.confirm([(decision, later.swap_on())])
    assert later.recover() == Recovered(removed=1)
    assert not list(later.strangers.iterdir())
    assert is_done(later)


def test_another_picture_s_variant_is_not_known_by_the_ledger(later: Later):
    """What a variant was made from can be a variant: only those of the very original that lies in the vault go."""
    other = later.staged / ("f" * 32)
    other.write_bytes(VARIANT)
    assert later.recover() == Recovered(set_aside=1)


def test_where_the_vault_cannot_be_looked_into_nothing_is_exchanged_or_left(later: Later):
    later.stage()
    vault_ = later.root.vault
    with later.path.open() as file:
        later.root.vault = file.fileno()  # no folder
        with pytest.raises(Kept):
            succession.swap_on(later.root, later.swap)
    later.root.vault = vault_
    assert later.path.read_bytes() == VARIANT
    assert not (later.staged / ENTRY).exists()
    later.recover()
