"""What a crash can leave of a second generation has one outcome: what comes out is kept as an original is."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.torture.scenes import LATER, ORIGINAL, PICTURE, VARIANT, Scene, released, replaced, restored
from framekeep.reasons import Kept, Reason
from storage import sidecar
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.ledger.opening import open_reader
from storage.reading import read
from storage.records import Draft, Settings
from storage.recovery import Recovered, recover
from storage.replacement import Swap, stage, swap_in

STAGE = Settings("t1k", 0.0, "10", 0.01, "4:2:0", True, "none", "", stage=30.0)
ENTRY = "f" * 32


class Again(Scene):
    """A picture whose original was released, and a second generation that stopped somewhere."""

    def __init__(self, folder: Path):
        (folder / "incoming" / PICTURE).parent.mkdir(parents=True)
        (folder / "incoming" / PICTURE).write_bytes(ORIGINAL)
        super().__init__(folder)
        replaced(self)
        self.first = self.held().decision
        released(self)
        own = folder / "incoming" / ".framekeep"
        self.staged, self.vault, self.strangers = own / "staged", own / "vault", own / "strangers"
        assert not list(self.vault.iterdir())
        picture = read(self.root, PICTURE, 9999)
        mark = Mark(picture.sha256, hashlib.sha256(LATER).digest(), ENTRY)
        self.swap = Swap(PICTURE, picture.identity, mark)
        self.draft = Draft(
            *(self.place, STAGE, Reason.QUALIFIED, picture.identity, datetime.now(UTC)),
            bytes_after=len(LATER),
            sha256_before=mark.original,
            sha256_after=mark.variant,
            vault_entry=ENTRY,
            vault_days=1.0,
            succeeds=self.first,
            generation=2,
            delivered=len(ORIGINAL),
        )

    def claim(self) -> int | None:
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

    def recover(self) -> Recovered:
        """Twice: the second time there is nothing left to do."""
        done = recover(self.ledger, [self.root])
        assert recover(self.ledger, [self.root]) == Recovered()
        assert not list(self.staged.iterdir())
        return done


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Again]:
    scene = Again(tmp_path)
    yield scene
    scene.ledger.close()
    scene.root.close()


def promised(again: Again) -> dict[int, int]:
    """The decisions that are in force, with their generation."""
    with open_reader(again.url) as reader:
        assert reader.verify_chain() is None
        found = (reader.promise(number) for number in range(again.first, again.first + 4))
        return {promise.decision: promise.generation for promise in found if promise}


def is_as_before(again: Again) -> bool:
    """And it can be tried anew."""
    assert not list(again.vault.iterdir())
    assert promised(again) == {again.first: 1}
    return again.claim() is not None


def is_done(again: Again) -> bool:
    assert again.path.read_bytes() == LATER
    assert (again.vault / ENTRY).read_bytes() == VARIANT
    assert sidecar.load(again.root.vault, ENTRY, again.root.path).generation == 2
    held = again.held()
    assert (held.entry, held.generation, held.bytes_before) == (ENTRY, 2, len(VARIANT))
    assert promised(again) == {held.decision: 2}
    restored(again)
    return again.path.read_bytes() == VARIANT


def test_claimed_and_nothing_staged(again: Again):
    assert again.claim()
    assert again.recover() == Recovered(abandoned=1)
    assert is_as_before(again)


def test_only_the_sidecar_staged(again: Again):
    again.claim()
    sidecar.stage(again.root, again.draft)
    assert again.recover() == Recovered(abandoned=1)
    assert is_as_before(again)


def test_staged_and_not_exchanged(again: Again):
    again.stage()
    assert again.recover() == Recovered(abandoned=1)
    assert again.path.read_bytes() == VARIANT
    assert is_as_before(again)


def test_exchanged_and_not_in_the_vault(again: Again):
    again.stage()
    again.exchange()
    assert again.recover() == Recovered(confirmed=1)
    assert is_done(again)


def test_in_the_vault_and_not_confirmed(again: Again):
    again.stage()
    swap_in(again.root, again.swap)
    assert again.recover() == Recovered(confirmed=1)
    assert is_done(again)


def test_confirmed(again: Again):
    decision = again.stage()
    again.ledger.confirm([(decision, swap_in(again.root, again.swap))])
    assert again.recover() == Recovered()
    assert is_done(again)


def test_a_stranger_came_out(again: Again):
    again.stage()
    again.path.write_bytes(b"a stranger")
    again.exchange()
    assert again.recover() == Recovered(abandoned=1)
    assert again.path.read_bytes() == b"a stranger"
    assert promised(again) == {again.first: 1}


def test_a_stranger_came_out_and_something_newer_came(again: Again):
    again.stage()
    again.path.write_bytes(b"a stranger")
    again.exchange()
    again.path.write_bytes(b"newer")
    assert again.recover() == Recovered(abandoned=1)
    assert again.path.read_bytes() == b"newer"
    assert (again.strangers / ENTRY).read_bytes() == b"a stranger"


def test_the_camera_wrote_the_path_after_the_exchange(again: Again):
    again.stage()
    again.exchange()
    again.path.write_bytes(b"newer")
    assert again.recover() == Recovered(confirmed=1)
    assert again.path.read_bytes() == b"newer"
    assert (again.vault / ENTRY).read_bytes() == VARIANT


def test_a_stranger_of_the_same_looks_is_exchanged_back(again: Again):
    """Same inode, size and time, but other bytes: only the hash that the ledger knows tells."""
    again.stage()
    status = again.path.stat()
    with again.path.open("r+b") as file:
        file.write(VARIANT[::-1])
    os.utime(again.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    again.swap = replace(again.swap, read=FileIdentity.of(again.path.stat()))
    with pytest.raises(Kept):
        swap_in(again.root, again.swap)
    assert again.path.read_bytes() == VARIANT[::-1]
    assert not list(again.vault.iterdir())


def test_only_one_at_a_time_takes_a_place(again: Again):
    assert again.claim()
    assert again.claim() is None
    again.recover()
    assert again.claim()


def test_it_takes_the_place_of_what_it_was_made_from_alone(again: Again):
    again.draft = replace(again.draft, sha256_before=hashlib.sha256(b"another variant").digest())
    assert again.claim() is None


def test_it_takes_no_place_of_one_whose_original_the_vault_holds(tmp_path: Path):
    """From the entry in the vault it would be made, and keep that entry."""
    (tmp_path / "incoming" / PICTURE).parent.mkdir(parents=True)
    (tmp_path / "incoming" / PICTURE).write_bytes(ORIGINAL)
    scene = Scene(tmp_path)
    replaced(scene)
    held, picture = scene.held(), read(scene.root, PICTURE, 9999)
    draft = Draft(
        *(scene.place, STAGE, Reason.QUALIFIED, picture.identity, datetime.now(UTC)),
        bytes_after=len(LATER),
        sha256_before=picture.sha256,
        sha256_after=hashlib.sha256(LATER).digest(),
        vault_entry=ENTRY,
        succeeds=held.decision,
        generation=2,
    )
    assert scene.ledger.plan_next(draft) is None
    scene.ledger.close()
    scene.root.close()


def test_nor_does_it_take_one_twice(again: Again):
    decision = again.stage()
    again.ledger.confirm([(decision, swap_in(again.root, again.swap))])
    again.draft = replace(again.draft, vault_entry="a" * 32)
    assert again.claim() is None


def test_what_a_generation_was_made_from_is_no_variant_of_it(again: Again):
    """Were it removed as one, nothing could be given back."""
    decision = again.stage()
    again.ledger.confirm([(decision, swap_in(again.root, again.swap))])
    (again.vault / ENTRY).rename(again.staged / ENTRY)
    os.removexattr(again.staged / ENTRY, "user.framekeep")
    assert again.recover() == Recovered(set_aside=1)
    assert (again.strangers / ENTRY).read_bytes() == VARIANT
