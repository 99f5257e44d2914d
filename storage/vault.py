"""The vault: originals of confirmed decisions. They can go back to their path until they are released.

    (begin)    the caller makes durable in the ledger that this original is about to go back
    link       it gets a second name, staged/ENTRY: whatever happens at the path from now on, the vault keeps the first
    exchange   path and staged/ENTRY in one step, under a lease; what came out must be the variant that the ledger
               knows, else it goes back
    drop       the variant goes and, when all that is durable, the vault's name with its sidecar
    (end)      the caller tells the ledger

All of this happens while the vault is locked. So a beginning that was not ended, seen by who holds the lock, tells of
a crash: storage/restorations.py ends it.
"""

import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from framekeep.reasons import Kept, Reason
from storage import renameat2, sidecar
from storage.faults import keeping
from storage.files import FileIdentity, Inode, inode_at, inode_of
from storage.lease import no_writer
from storage.reading import open_picture, read_whole
from storage.records import VaultEntry
from storage.replacement import Unfinished, give_back, pinned
from storage.root import Root, Tree, remove
from storage.strangers import set_aside

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
OTHER: Final = "the path holds something else than the variant of this decision: move it away first"


@contextmanager
def locked(root: Root) -> Iterator[None]:
    """While this lasts nobody else restores, releases or repairs in this root. Waits for whoever does."""
    descriptor = os.open(".", _FOLDER, dir_fd=root.vault)  # of its own: a lock belongs to the opening
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_in_use(root: Tree) -> bool:
    """Whether the vault holds an original. Raises OSError."""
    try:
        with root.vault_to_read() as vault, os.scandir(vault) as entries:
            return any(not sidecar.is_one(entry.name) for entry in entries)
    except FileNotFoundError:
        return False


def original_of(root: Tree, held: VaultEntry) -> bytes:
    """The original's bytes. Raises Kept where the vault no longer holds exactly them."""
    with keeping(), root.vault_to_read() as folder, _opened(folder, held.entry) as descriptor:
        data = read_whole(descriptor, held.bytes_before)
    if hashlib.sha256(data).digest() != held.sha256_before:
        raise Kept(Reason.DAMAGED, f"the vault's entry {held.entry} is not the original that the ledger knows")
    return data


def identity_of(root: Tree, held: VaultEntry) -> FileIdentity:
    """The original's, as it lies in the vault. Raises Kept where it cannot be had."""
    with keeping(), root.vault_to_read() as folder:
        return FileIdentity.of(os.stat(held.entry, dir_fd=folder, follow_symlinks=False))


@dataclass(frozen=True, slots=True)
class Way:
    """Where an original goes back to. `original` is its inode."""

    root: Root
    held: VaultEntry
    place: tuple[int, str]
    original: Inode

    @property
    def staged(self) -> tuple[int, str]:
        return self.root.staged, self.held.entry


def restore(root: Root, held: VaultEntry) -> FileIdentity:
    """Puts the original back at its path, the very file that the camera wrote. Returns its identity there.

    The path must hold framekeep's variant, or nothing. Raises Kept, and then the path is as it was. Raises Unfinished
    where the exchange happened and what follows it failed: the original is at its path or in the vault, or both.
    """
    original_of(root, held)
    with ExitStack() as opened:
        with keeping():
            place = opened.enter_context(root.folder_of(held.place.path))
            original = pinned(opened, root.vault, held.entry)
            way = Way(root, held, place, inode_of(os.fstat(original)))
            os.link(held.entry, held.entry, src_dir_fd=root.vault, dst_dir_fd=root.staged, follow_symlinks=False)
            is_unwanted = _exchange(opened, way)
        try:
            if is_unwanted():
                give_back(root, held.entry, place, way.original)
                raise Kept(Reason.UNSETTLED, OTHER)
            drop(root, held.entry, place[0])
        except OSError as error:
            raise Unfinished(f"{held.place.path}: {error}") from error
        return FileIdentity.of(os.fstat(original))


def _exchange(opened: ExitStack, way: Way) -> Callable[[], bool]:
    """The exchange alone, under a lease that `opened` holds on; where it fails, the second name is removed.

    Returns the question whether what came out has to go back.
    """
    try:
        return _exchange_or_move(opened, way)
    except (OSError, Kept) as error:
        if inode_at(*way.staged) == way.original:  # never what came out, whatever the error meant
            remove(*way.staged)
        if isinstance(error, FileExistsError):
            raise Kept(Reason.UNSETTLED, OTHER) from error
        raise


def _exchange_or_move(opened: ExitStack, way: Way) -> Callable[[], bool]:
    try:
        return take_out(opened, way, renameat2.exchange)
    except FileNotFoundError:
        renameat2.move(*way.staged, *way.place)
        return lambda: False


def take_out(opened: ExitStack, way: Way, take: Callable[[int, str, int, str], None]) -> Callable[[], bool]:
    """The variant leaves its path for staged/ENTRY, by an exchange or a move, under a lease that `opened` holds on.

    Returns the question whether what came out has to go back. Raises Kept and OSError.
    """
    variant = open_picture(*way.place)
    opened.callback(os.close, variant)
    somebody_waits = opened.enter_context(no_writer(variant))
    if not _is_variant(variant, way.held):
        raise Kept(Reason.UNSETTLED, OTHER)
    take(*way.place, *way.staged)
    inode = inode_of(os.fstat(variant))
    return lambda: inode_at(*way.staged) != inode or not _is_variant(variant, way.held) or somebody_waits()


def _is_variant(descriptor: int, held: VaultEntry) -> bool:
    return hashlib.sha256(read_whole(descriptor, held.bytes_after)).digest() == held.sha256_after


def drop(root: Root, entry: str, folder: int) -> None:
    """The original is at its path, in this open folder: the variant goes and, when that is durable, the vault's name.

    Raises OSError.
    """
    remove(root.staged, entry)
    os.fsync(folder)
    os.fsync(root.staged)
    remove(root.vault, entry)
    sidecar.drop(root.vault, entry)
    os.fsync(root.vault)


def release(root: Root, held: VaultEntry) -> bool:
    """Deletes the original for good; one that is gone already is as good as deleted.

    False: these are not the bytes that the ledger knows. Somebody who had the file open wrote on, say; they are set
    aside under strangers/, never deleted. Raises OSError, and Kept where somebody has it open for writing even now, or
    where a restoration was interrupted: what that left in staged/ may be all that is left of the picture.
    """
    if inode_at(root.staged, held.entry) is not None:
        raise Kept(Reason.UNSETTLED, "its restoration was interrupted, which has to be ended first")
    try:
        descriptor = os.open(held.entry, _READ, dir_fd=root.vault)
    except FileNotFoundError:
        sidecar.drop(root.vault, held.entry)
        return True
    try:
        with no_writer(descriptor):
            if not _is_original(descriptor, held):
                _quarantine(root, held.entry)
                return False
            remove(root.vault, held.entry)
            sidecar.drop(root.vault, held.entry)
            return True
    finally:
        os.close(descriptor)


def _is_original(descriptor: int, held: VaultEntry) -> bool:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return False
    return hashlib.sha256(read_whole(descriptor, held.bytes_before)).digest() == held.sha256_before


def _quarantine(root: Root, entry: str) -> None:
    set_aside(root, root.vault, entry)
    os.fsync(root.vault)


@contextmanager
def _opened(folder: int, name: str) -> Iterator[int]:
    descriptor = open_picture(folder, name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
