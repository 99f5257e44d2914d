"""Every state that a crash can leave of a replacement or a restoration in two steps has one outcome."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.torture.refusing import on, possible
from framekeep.reasons import Reason
from storage import sidecar
from storage.attribute import Mark
from storage.files import FileIdentity
from storage.reading import read
from storage.records import Draft, Place, Planned, Restoration, Settings, VaultEntry
from storage.recovery import Recovered, recover
from storage.replacement import Swap, stage
from storage.root import Root

pytestmark = pytest.mark.skipif(not possible(), reason="this machine has no seccomp")

ORIGINAL, VARIANT, NEWEST, ENTRY = b"the camera's bytes", b"variant", b"newest", "e" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", progressive=True, model="none", model_digest="")


@dataclass
class Crash:
    """A root in which something was going on, and the ledger's word on it; files are put where the crash left them."""

    filesystem: str
    root: Root
    picture: Path
    swap: Swap
    planned: list[Planned] = field(default_factory=list)
    begun: list[Restoration] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    identities: list[FileIdentity] = field(default_factory=list)

    def pending(self) -> list[Planned]:
        return list(self.planned)

    def confirm(self, confirmations: Sequence[tuple[int, FileIdentity]]) -> None:
        self.identities += [identity for _, identity in confirmations]
        self._end("confirmed")

    def abandon(self, _abandonments: Sequence[tuple[int, Reason, str]]) -> None:
        self._end("abandoned")

    def restorations(self) -> list[Restoration]:
        return list(self.begun)

    def restore(self, decision: int, identity: FileIdentity, at: datetime) -> int:
        assert at == NOON
        self.identities.append(identity)
        self._end("restored")
        return decision + 1

    def was_made(self, _entry: str, _sha256: bytes) -> bool:
        return False

    def forgo(self, _decision: int) -> None:
        self._end("held")

    def _end(self, how: str) -> None:
        self.told.append(how)
        self.planned.clear()
        self.begun.clear()

    def begin(self) -> None:
        """It is a restoration, not a replacement."""
        mark, (planned,) = self.swap.mark, self.planned
        held = VaultEntry(7, planned.place, ENTRY, mark.original, mark.variant, len(ORIGINAL), len(VARIANT), NOON)
        self.planned, self.begun = [], [Restoration(held, NOON)]

    @property
    def own(self) -> Path:
        return Path(self.root.path) / ".framekeep"

    @property
    def staged(self) -> Path:
        return self.own / "staged" / ENTRY

    @property
    def vault(self) -> Path:
        return self.own / "vault" / ENTRY

    def files(self) -> dict[str, bytes]:
        """All but sidecars, by their folder, or "path"."""
        found = (path for path in Path(self.root.path).rglob("*") if path.is_file() and path.suffix != ".json")
        names = {path: "path" if path == self.picture else path.parent.name for path in found}
        assert all(path.stat().st_nlink == 1 for path in names)
        return {name: path.read_bytes() for path, name in names.items()}

    def sidecars(self) -> list[str]:
        return [path.parent.name for path in self.own.rglob("*.json")]

    def recover(self) -> str:
        """How it ended; a second time there is nothing left to do."""

        def again() -> Recovered:
            recover(self, [self.root])
            return recover(self, [self.root])

        assert on(self.filesystem, again) == Recovered()
        assert not [path for path in (self.own / "staged").iterdir() if path.suffix != ".json"]
        (how,) = self.told
        return how


@pytest.fixture(params=["exfat", "nfs"])
def crash(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Crash]:
    """Planned and staged, and no more."""
    picture = tmp_path / "gate" / "1.jpg"
    picture.parent.mkdir()
    picture.write_bytes(ORIGINAL)
    with Root(str(tmp_path)) as root:
        identity, place = read(root, "gate/1.jpg", 1000).identity, Place(root.path, "gate/1.jpg")
        mark = Mark(hashlib.sha256(ORIGINAL).digest(), hashlib.sha256(VARIANT).digest(), ENTRY)
        sizes = {"bytes_after": len(VARIANT), "sha256_before": mark.original, "sha256_after": mark.variant}
        sidecar.stage(root, Draft(place, SETTINGS, Reason.QUALIFIED, identity, NOON, vault_entry=ENTRY, **sizes))
        swap = Swap("gate/1.jpg", identity, mark)
        on(request.param, lambda: stage(root, swap, VARIANT))
        planned = Planned(7, place, identity, mark.original, mark.variant, ENTRY)
        yield Crash(request.param, root, picture, swap, [planned])


# Replacements.


def test_not_out_yet(crash: Crash):
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": ORIGINAL}
    assert crash.sidecars() == []


def test_out_and_not_in(crash: Crash):
    crash.picture.rename(crash.vault)
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": ORIGINAL}
    assert crash.sidecars() == []


def test_out_and_something_newer_arrived(crash: Crash):
    crash.picture.rename(crash.vault)
    crash.picture.write_bytes(NEWEST)
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": NEWEST, "strangers": ORIGINAL}
    assert crash.sidecars() == ["strangers"]


def test_out_and_the_folder_was_deleted(crash: Crash):
    crash.picture.rename(crash.vault)
    crash.picture.parent.rmdir()
    assert crash.recover() == "abandoned"
    assert crash.files() == {"strangers": ORIGINAL}


def test_a_stranger_came_out(crash: Crash):
    crash.picture.write_bytes(NEWEST)
    crash.picture.rename(crash.vault)
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": NEWEST}


def test_a_stranger_came_out_and_something_newer_arrived(crash: Crash):
    crash.picture.write_bytes(NEWEST)
    crash.picture.rename(crash.vault)
    crash.picture.write_bytes(b"newer still")
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": b"newer still", "strangers": NEWEST}


def test_a_folder_came_out(crash: Crash):
    crash.picture.unlink()
    crash.picture.mkdir()
    (crash.picture / "inside").write_bytes(b"inside")
    crash.picture.rename(crash.vault)
    assert crash.recover() == "abandoned"
    assert (crash.picture / "inside").read_bytes() == b"inside"


def test_put_back_with_both_names(crash: Crash):
    crash.picture.rename(crash.vault)
    os.link(crash.vault, crash.picture)
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": ORIGINAL}


def test_in_with_both_names(crash: Crash):
    crash.picture.rename(crash.vault)
    os.link(crash.staged, crash.picture)
    assert crash.recover() == "confirmed"
    assert crash.files() == {"path": VARIANT, "vault": ORIGINAL}
    assert crash.sidecars() == ["vault"]
    assert crash.identities == [FileIdentity.of(crash.picture.stat())]


def test_in(crash: Crash):
    crash.picture.rename(crash.vault)
    crash.staged.rename(crash.picture)
    assert crash.recover() == "confirmed"
    assert crash.files() == {"path": VARIANT, "vault": ORIGINAL}
    assert crash.sidecars() == ["vault"]


def test_in_and_then_replaced_by_a_camera(crash: Crash):
    crash.picture.rename(crash.vault)
    crash.staged.unlink()
    crash.picture.write_bytes(NEWEST)
    assert crash.recover() == "confirmed"
    assert crash.files() == {"path": NEWEST, "vault": ORIGINAL}


def test_in_and_then_somebody_wrote_on_in_the_original(crash: Crash):
    crash.picture.rename(crash.vault)
    crash.staged.rename(crash.picture)
    crash.vault.write_bytes(ORIGINAL + b"more")
    assert crash.recover() == "confirmed"
    assert crash.files() == {"path": VARIANT, "vault": ORIGINAL + b"more"}


def test_what_somebody_wrote_on_is_set_aside_where_a_camera_has_replaced_the_variant(crash: Crash):
    crash.picture.rename(crash.vault)
    crash.staged.unlink()
    crash.vault.write_bytes(ORIGINAL + b"more")
    crash.picture.write_bytes(NEWEST)
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": NEWEST, "strangers": ORIGINAL + b"more"}


def test_a_disk_that_lost_the_variant_does_not_lose_the_original(crash: Crash):
    """FAT has no journal; and an original whose picture is gone would be deleted as of a deleted picture."""
    crash.picture.rename(crash.vault)
    crash.staged.unlink()
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": ORIGINAL}


def test_set_aside_and_the_variant_left(crash: Crash):
    crash.picture.rename(crash.own / "strangers" / ENTRY)
    crash.picture.write_bytes(NEWEST)
    assert crash.recover() == "abandoned"
    assert crash.files() == {"path": NEWEST, "strangers": ORIGINAL}


@pytest.mark.parametrize(
    ("suffix", "content"), [("", VARIANT), (".part", VARIANT), (".part", VARIANT[:-2]), (".part", b"")]
)
def test_an_unmarked_variant_that_was_never_planned_goes(crash: Crash, suffix: str, content: bytes):
    crash.planned.clear()
    crash.staged.unlink()
    crash.staged.with_name(ENTRY + suffix).write_bytes(content)
    assert on(crash.filesystem, lambda: recover(crash, [crash.root])) == Recovered(removed=1)
    assert crash.files() == {"path": ORIGINAL}
    assert crash.sidecars() == []


@pytest.mark.parametrize("has_sidecar", [True, False])
def test_what_may_be_an_original_is_never_removed(crash: Crash, has_sidecar: bool):
    crash.planned.clear()
    crash.picture.rename(crash.staged)
    if not has_sidecar:
        crash.staged.with_name(f"{ENTRY}.json").unlink()
    assert on(crash.filesystem, lambda: recover(crash, [crash.root])) == Recovered(set_aside=1)
    assert crash.files() == {"strangers": ORIGINAL}


# Restorations.


@pytest.fixture
def begun(crash: Crash) -> Crash:
    """Of a picture that was replaced before."""
    crash.picture.rename(crash.vault)
    crash.staged.rename(crash.picture)
    card = crash.staged.with_name(f"{ENTRY}.json")
    card.rename(crash.vault.with_name(card.name))
    crash.begin()
    return crash


def test_a_restoration_that_is_not_out_yet(begun: Crash):
    assert begun.recover() == "held"
    assert begun.files() == {"path": VARIANT, "vault": ORIGINAL}


def test_the_variant_is_out_and_nothing_in(begun: Crash):
    begun.picture.rename(begun.staged)
    assert begun.recover() == "held"
    assert begun.files() == {"path": VARIANT, "vault": ORIGINAL}
    assert begun.sidecars() == ["vault"]


def test_the_variant_goes_where_something_newer_arrived(begun: Crash):
    begun.picture.rename(begun.staged)
    begun.picture.write_bytes(NEWEST)
    assert begun.recover() == "held"
    assert begun.files() == {"path": NEWEST, "vault": ORIGINAL}


def test_the_variant_goes_where_the_folder_was_deleted(begun: Crash):
    begun.picture.rename(begun.staged)
    begun.picture.parent.rmdir()
    assert begun.recover() == "held"
    assert begun.files() == {"vault": ORIGINAL}


def test_the_variant_was_put_back_with_both_names(begun: Crash):
    os.link(begun.picture, begun.staged)
    assert begun.recover() == "held"
    assert begun.files() == {"path": VARIANT, "vault": ORIGINAL}


def test_a_stranger_is_out(begun: Crash):
    begun.staged.write_bytes(NEWEST)
    begun.picture.unlink()
    assert begun.recover() == "held"
    assert begun.files() == {"path": NEWEST, "vault": ORIGINAL}


def test_a_stranger_is_out_and_something_newer_arrived(begun: Crash):
    begun.staged.write_bytes(NEWEST)
    begun.picture.write_bytes(b"newer still")
    assert begun.recover() == "held"
    assert begun.files() == {"path": b"newer still", "strangers": NEWEST, "vault": ORIGINAL}
    assert begun.sidecars() == ["vault"]


def test_the_original_is_in_with_both_names(begun: Crash):
    begun.picture.rename(begun.staged)
    os.link(begun.vault, begun.picture)
    assert begun.recover() == "restored"
    assert begun.files() == {"path": ORIGINAL}
    assert begun.sidecars() == []
    assert begun.identities == [FileIdentity.of(begun.picture.stat())]


def test_the_original_is_in(begun: Crash):
    begun.picture.rename(begun.staged)
    begun.vault.rename(begun.picture)
    assert begun.recover() == "restored"
    assert begun.files() == {"path": ORIGINAL}
    assert begun.sidecars() == []


def test_the_original_is_in_and_somebody_wrote_on_in_the_variant(begun: Crash):
    begun.picture.rename(begun.staged)
    os.link(begun.vault, begun.picture)
    begun.staged.write_bytes(VARIANT + b"more")
    assert begun.recover() == "restored"
    assert begun.files() == {"path": ORIGINAL, "strangers": VARIANT + b"more"}


def test_where_the_original_is_nowhere_the_variant_does_not_go_too(begun: Crash):
    begun.picture.rename(begun.staged)
    begun.vault.unlink()
    assert begun.recover() == "held"
    assert begun.files() == {"path": VARIANT}
