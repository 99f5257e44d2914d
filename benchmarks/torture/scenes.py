"""One act of framekeep as a process of its own, for whoever watches its system calls.

usage: python -m benchmarks.torture.scenes ACT FOLDER [FILESYSTEM]

FOLDER/incoming/gate/1.jpg holds ORIGINAL; the ledger lies in FOLDER/var. Files, ledger and acts are real; the variant
is no picture, since nothing here decodes. The act `swept` is a whole sweep instead, with a fake model. FILESYSTEM: one
that cannot exchange two files (refusing.py).
"""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import patch

from benchmarks.torture.refusing import refuse
from framekeep.reasons import Kept, Reason
from storage import racy, renameat2, sidecar, succession, vault
from storage.attribute import Mark
from storage.files import FileIdentity, inode_of
from storage.ledger.opening import open_reader, open_writer
from storage.reading import read
from storage.records import Draft, Place, Settings, VaultEntry
from storage.recovery import recover
from storage.replacement import Swap, give_back, pinned, stage, swap_in
from storage.root import Root

ORIGINAL: Final = b"the camera's bytes " * 9
VARIANT: Final = b"the variant"
LATER: Final = b"a smaller"
"""The variant of a later stage."""
ENTRY: Final = "e" * 32
PICTURE: Final = "gate/1.jpg"

_SETTINGS: Final = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", progressive=True, model="none", model_digest="")
_VAULT_DAYS: Final = 1.0


class Scene:
    """A root with one picture, and its ledger."""

    def __init__(self, folder: Path, *, is_racy: bool = False) -> None:
        self.folder = folder
        self.is_racy = is_racy
        self.path = folder / "incoming" / PICTURE
        self.root = Root(str(folder / "incoming"))
        self.url = f"sqlite:///{folder}/var/ledger.sqlite"
        self.ledger = open_writer(self.url)
        self.place = Place(self.root.path, PICTURE)

    def plan(self) -> tuple[int, Swap]:
        """All up to the exchange."""
        picture = read(self.root, PICTURE, 9999)
        mark = Mark(picture.sha256, hashlib.sha256(VARIANT).digest(), ENTRY)
        swap = Swap(PICTURE, picture.identity, mark)
        draft = Draft(
            *(self.place, _SETTINGS, Reason.QUALIFIED, picture.identity, datetime.now(UTC)),
            bytes_after=len(VARIANT),
            sha256_before=mark.original,
            sha256_after=mark.variant,
            vault_entry=ENTRY,
            vault_days=_VAULT_DAYS,
        )
        sidecar.stage(self.root, draft)
        stage(self.root, swap, VARIANT)
        (decision,) = self.ledger.plan([draft])
        return decision, swap

    def swap_in(self, swap: Swap) -> FileIdentity:
        return racy.swap_in(self.root, swap) if self.is_racy else swap_in(self.root, swap)

    def give_back(self, meanwhile: Callable[[], object]) -> None:
        """Something happens at the path between the exchange and the way back."""
        decision, _ = self.plan()
        with self.root.folder_of(PICTURE) as place, ExitStack() as opened:
            variant = inode_of(os.fstat(pinned(opened, self.root.staged, ENTRY)))
            renameat2.exchange(*place, self.root.staged, ENTRY)
            meanwhile()
            give_back(self.root, ENTRY, place, variant)
        self.ledger.abandon([(decision, Reason.UNSETTLED, "")])

    def held(self) -> VaultEntry:
        """The replaced picture's original."""
        (held,) = self.ledger.due(datetime.now(UTC) + timedelta(days=2 * _VAULT_DAYS), 1, [self.root.path])
        return held


def replaced(scene: Scene) -> None:
    decision, swap = scene.plan()
    scene.ledger.confirm([(decision, scene.swap_in(swap))])


def put_back(scene: Scene) -> None:
    """The camera changes the picture in the instant before it comes out."""
    decision, swap = scene.plan()
    take = renameat2.take

    def too_late(folder: int, name: str, own: int, entry: str) -> None:
        if name == scene.path.name:
            scene.path.chmod(0o604)
        take(folder, name, own, entry)

    with patch.object(renameat2, "take", too_late), suppress(Kept):
        scene.swap_in(swap)
    scene.ledger.abandon([(decision, Reason.UNSETTLED, "")])


def given_back(scene: Scene) -> None:
    scene.give_back(lambda: None)


def given_back_to_nothing(scene: Scene) -> None:
    scene.give_back(scene.path.unlink)


def given_back_under_a_newer_one(scene: Scene) -> None:
    def newer() -> None:
        scene.path.unlink()
        scene.path.symlink_to("elsewhere")

    scene.give_back(newer)


def recovered(scene: Scene) -> None:
    recover(scene.ledger, [scene.root])


def restored(scene: Scene) -> None:
    """A picture that was replaced before; its variant may have been deleted since."""
    held, now = scene.held(), datetime.now(UTC)
    with vault.locked(scene.root):
        scene.ledger.begin_restoration(held.decision, now)
        restore = racy.restore if scene.is_racy else vault.restore
        scene.ledger.restore(held.decision, restore(scene.root, held), now)


def released(scene: Scene) -> None:
    """A picture that was replaced before; whatever lies in the vault by now."""
    from daemon.releasing import Vaults, release_due  # noqa: PLC0415 - the other acts need no daemon, slow to import
    from storage.holds import HoldBook  # noqa: PLC0415 - as above
    from storage.time_rules import TimeRules  # noqa: PLC0415 - as above

    vaults = Vaults({scene.root.path: scene.root}, HoldBook(open_reader(scene.url), TimeRules(UTC, ())))
    release_due(scene.ledger, vaults, datetime.now(UTC) + timedelta(days=2 * _VAULT_DAYS))


def succeeded(scene: Scene) -> None:
    """A picture that was replaced before reaches a later stage."""
    held, picture = scene.held(), read(scene.root, PICTURE, 9999)
    mark = Mark(held.sha256_before, hashlib.sha256(LATER).digest(), ENTRY)
    draft = Draft(
        *(scene.place, _SETTINGS, Reason.QUALIFIED, vault.identity_of(scene.root, held), datetime.now(UTC)),
        bytes_after=len(LATER),
        sha256_before=mark.original,
        sha256_after=mark.variant,
        vault_entry=ENTRY,
        vault_days=_VAULT_DAYS,
        succeeds=held.decision,
    )
    decision = scene.ledger.plan_next(draft)
    assert decision is not None
    swap = Swap(PICTURE, picture.identity, mark, held.sha256_after)
    sidecar.stage(scene.root, draft)
    stage(scene.root, swap, LATER)
    with vault.locked(scene.root):
        identity = succession.swap_on(scene.root, swap)
    scene.ledger.confirm([(decision, identity)])
    succession.drop(scene.root, ENTRY)


def probed(scene: Scene) -> None:
    scene.root.probe()


def backed_up(scene: Scene) -> None:
    with open_reader(scene.url) as reader:
        reader.back_up(scene.folder / "copy.sqlite")


def rebuilt(folder: Path) -> None:
    """The ledger of a folder that has lost it."""
    from benchmarks.torture.driving import config_of  # noqa: PLC0415 - as above
    from benchmarks.torture.site import Site  # noqa: PLC0415 - as above
    from daemon.rebuilding import rebuild  # noqa: PLC0415 - as above

    rebuild(config_of(Site(folder)), force=False)


def swept(folder: Path) -> None:
    from benchmarks.torture.driving import config_of, start  # noqa: PLC0415 - as above
    from benchmarks.torture.site import Site  # noqa: PLC0415 - as above

    start(config_of(Site(folder)))


ACTS: Final = {
    act.__name__: act
    for act in (
        *(replaced, put_back, given_back, given_back_to_nothing, given_back_under_a_newer_one),
        *(recovered, restored, released, succeeded, probed, backed_up),
    )
}
ALONE: Final = {act.__name__: act for act in (rebuilt, swept)}
"""Which open root and ledger themselves."""


def main(act: str, folder: Path, filesystem: str = "") -> None:
    if filesystem:
        refuse(filesystem)
    if act in ALONE:
        ALONE[act](folder)
    else:
        ACTS[act](Scene(folder, is_racy=filesystem != ""))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
