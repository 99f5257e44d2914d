"""What becomes of a restoration that a crash interrupted. Idempotent, as all of recovery.

staged/ENTRY     vault/ENTRY    path           meaning                          outcome
-                the original   not that       not begun, or given back         stays in the vault
the original     the original   not that       linked, not exchanged            link removed, stays in the vault
the variant      the original   the original   exchanged                        variant and vault's name go, restored
something else   the original   the original   a stranger came out              given back, stays in the vault
the variant      the original   not that       somebody wrote the path since    variant removed, stays in the vault
something else   the original   not that       somebody wrote the path since    set aside, stays in the vault
-                the original   the original   exchanged, the variant is gone   vault's name goes, restored
-                -              the variant    the original was taken away      nothing to restore from
-                -              not that       all was done but for the row     restored

Where a root cannot exchange (storage/racy.py):

anything         the original   nothing        out, but not in                  put back, stays in the vault
something else   the original   the original   in, then the variant was written set aside, restored
the variant      -              the original   in                               variant removed, restored
the variant      -              nothing        in, and taken away               put back, nothing to restore from

What stands at the path and in staged/ loses that name first: it was being put back.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Final, Protocol

from storage import racy, sidecar
from storage.files import FileIdentity, Inode, inode_at
from storage.reading import digest_at
from storage.records import Restoration, VaultEntry
from storage.replacement import give_back
from storage.root import Root, remove
from storage.strangers import set_aside
from storage.vault import drop

_GONE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""A folder is there no longer, or a link stands in its place."""


class Rows(Protocol):
    """What this needs of the ledger."""

    def restorations(self) -> Sequence[Restoration]: ...

    def restore(self, decision: int, identity: FileIdentity, at: datetime) -> int: ...

    def forgo(self, decision: int) -> None: ...


def end_interrupted(rows: Rows, root: Root) -> tuple[int, int]:
    """Ends every restoration in this root that was begun and not ended; the caller has locked its vault.

    Returns how many originals are back at their path, and how many stay in the vault. Raises OSError.
    """
    restored = forgone = 0
    for restoration in rows.restorations():
        held = restoration.held
        if held.place.root != root.path:
            continue
        if identity := _end(root, held):
            rows.restore(held.decision, identity, restoration.begun_at)
            restored += 1
        else:
            rows.forgo(held.decision)
            forgone += 1
    return restored, forgone


def _end(root: Root, held: VaultEntry) -> FileIdentity | None:
    """The identity of the original that is back at its path; None where it stays in the vault."""
    with ExitStack() as opened:
        place = place_of(opened, root, held.place.path)
        original = inode_at(root.vault, held.entry)
        if original is None:
            if place:
                os.fsync(place[0])  # before the variant goes: the original may have come there just now
            racy.put_variant_back(root, held, place)
            sidecar.drop(root.vault, held.entry)
            os.fsync(root.vault)  # the process that removed it may have died before it had done so
            return _at_path(place, held)
        back = place if place and inode_at(*place) == original else None
        if back is None:
            _clear(root, held, place, original)
            return None
        if not _keeps(root, held, back, original):
            return None
        drop(root, held.entry, back[0])
        return FileIdentity.of(os.stat(back[1], dir_fd=back[0], follow_symlinks=False))


def place_of(opened: ExitStack, root: Root, path: str) -> racy.Place | None:
    """A picture's folder, open as long as `opened` lasts, and its name; None where the folder is gone."""
    try:
        return opened.enter_context(root.folder_of(path))
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return None


def _at_path(place: racy.Place | None, held: VaultEntry) -> FileIdentity | None:
    """Of an original that is not in the vault. One that has left its path since has an identity that no file has."""
    digest = digest_at(*place) if place else None
    if digest == held.sha256_after:
        return None
    if place and digest == held.sha256_before:
        return FileIdentity.of(os.stat(place[1], dir_fd=place[0], follow_symlinks=False))
    return FileIdentity(held.bytes_before, 0, 0, 0)


def _clear(root: Root, held: VaultEntry, place: racy.Place | None, original: Inode) -> None:
    """Empties staged/ENTRY of a restoration whose original is not at its path."""
    if racy.end_move((root.staged, held.entry), place):
        return
    if inode_at(root.staged, held.entry) == original:
        remove(root.staged, held.entry)
        os.fsync(root.staged)
    else:
        racy.put_variant_back(root, held, None if root.exchanges else place)


def _keeps(root: Root, held: VaultEntry, back: racy.Place, original: Inode) -> bool:
    """Whether the original may stay at its path; else it was a stranger that came out, which is there again."""
    staged = inode_at(root.staged, held.entry)
    if staged in (None, original) or digest_at(root.staged, held.entry) == held.sha256_after:
        return True  # whatever is staged goes with the vault's name
    if root.exchanges:
        give_back(root, held.entry, back, original)
        return False
    set_aside(root, root.staged, held.entry)
    return True
