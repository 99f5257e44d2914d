"""The vault: originals of confirmed decisions. They can go back to their path until they are released."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from framekeep.reasons import Kept, Reason
from storage import renameat2
from storage.faults import keeping
from storage.files import FileIdentity
from storage.reading import open_picture, read_whole
from storage.records import VaultEntry
from storage.root import Root, Tree, remove


def original_of(root: Tree, held: VaultEntry) -> bytes:
    """The original's bytes. Raises Kept where the vault no longer holds exactly them."""
    with keeping(), root.vault_to_read() as folder, _opened(folder, held.entry) as descriptor:
        data = read_whole(descriptor, held.bytes_before)
    if hashlib.sha256(data).digest() != held.sha256_before:
        raise Kept(Reason.DAMAGED, f"the vault's entry {held.entry} is not the original that the ledger knows")
    return data


def restore(root: Root, held: VaultEntry) -> FileIdentity:
    """Puts the original back at its path, the very file that the camera wrote. Returns its identity there.

    The path must hold framekeep's variant, or nothing. Raises Kept, and then nothing has changed.
    """
    original_of(root, held)
    with keeping(), root.folder_of(held.place.path) as (folder, name):
        try:
            renameat2.exchange(folder, name, root.vault, held.entry)
        except FileNotFoundError:
            renameat2.move(root.vault, held.entry, folder, name)
        else:
            _remove_variant(root, held, folder, name)
        os.fsync(folder)
        os.fsync(root.vault)
        return FileIdentity.of(os.stat(name, dir_fd=folder, follow_symlinks=False))


def _remove_variant(root: Root, held: VaultEntry, folder: int, name: str) -> None:
    """Removes what came out if it is the variant that the ledger knows, else exchanges it back."""
    try:
        with _opened(root.vault, held.entry) as descriptor:
            known = hashlib.sha256(read_whole(descriptor, held.bytes_after)).digest() == held.sha256_after
    except Kept:
        known = False
    if not known:
        renameat2.exchange(folder, name, root.vault, held.entry)
        raise Kept(Reason.UNSETTLED, "the path holds something that framekeep did not write: move it away first")
    remove(root.vault, held.entry)


def release(root: Root, held: VaultEntry) -> None:
    """Deletes the original for good; one that is gone already is no error. Raises OSError."""
    remove(root.vault, held.entry)


@contextmanager
def _opened(folder: int, name: str) -> Iterator[int]:
    descriptor = open_picture(folder, name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
