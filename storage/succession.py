"""A later stage: a variant takes the place of another one of the same original, which stays in the vault.

    (claim)  the caller makes the plan durable: from then on nobody releases or restores the original
    stage    the new variant is written to staged/ENTRY, by the original's name in the vault, as any variant is
    swap     while the vault is locked, and the original is in it: path and staged/ENTRY are exchanged under a lease;
             what came out must be the variant that the ledger knows, else it goes back; the new sidecar takes the place
             of the old one in the vault; folders fsynced
    (confirm)
    drop     the variant that came out is deleted

At every instant the path holds one of the two variants, whole, and the vault the original. What a crash can leave is in
storage/recovery.py's table.
"""

import os
from contextlib import suppress

from framekeep.reasons import Kept, Reason
from storage import replacement, sidecar
from storage.faults import keeping
from storage.files import FileIdentity, inode_at
from storage.reading import digest_at
from storage.replacement import Swap
from storage.root import Root, remove


def swap_on(root: Root, swap: Swap) -> FileIdentity:
    """Exchanges the staged variant with the path; the caller has locked the vault.

    Returns the new variant's identity at the path. Raises Kept and Unfinished as `replacement.swap_in` does, and Kept
    where the original has left the vault, or cannot be looked for.
    """
    try:
        _check_held(root, swap.mark.entry)
    except Kept:
        remove(root.staged, swap.mark.entry)
        raise
    return replacement.swap_in(root, swap, keep_sidecar)


def _check_held(root: Root, entry: str) -> None:
    with keeping():
        if inode_at(root.vault, entry) is None:
            raise Kept(Reason.UNSETTLED, "its original left the vault meanwhile")


def drop(root: Root, entry: str) -> None:
    """Deletes the variant that came out, once the ledger knows that it did."""
    remove(root.staged, entry)


def keep_sidecar(root: Root, entry: str) -> None:
    """The vault's sidecar tells of the new decision from now on, durably; it may do so already."""
    sidecar.succeed(root.staged, entry, root.vault)
    os.fsync(root.vault)
    os.fsync(root.staged)


def bring_sidecars_home(root: Root) -> None:
    """Those of variants that a crash left at their path before the vault's sidecars told of them."""
    for name in filter(sidecar.is_one, os.listdir(root.staged)):  # noqa: PTH208 - by descriptor
        entry = sidecar.entry_of(name)
        if inode_at(root.vault, entry) is not None and _tells_of_what_stands(root, entry):
            keep_sidecar(root, entry)


def _tells_of_what_stands(root: Root, entry: str) -> bool:
    with suppress(sidecar.NoSidecarError, OSError):
        draft = sidecar.load(root.staged, entry, root.path)
        with root.folder_of(draft.place.path) as place:
            return digest_at(*place) == draft.sha256_after
    return False
