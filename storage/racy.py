"""Replacing in two steps, where a filesystem cannot exchange two files in one: network mounts, FAT.

    stage   as in storage/replacement.py
    (plan)
    out     under a lease, the picture is moved from its path to vault/ENTRY; what came out is checked to be the file
            that was read, else it goes back
    in      staged/ENTRY is moved to the path, unless something stands there by now; folders fsynced
    (confirm)

The promise is weaker, so it has to be allowed ([watch] allow_racy_rename). Nothing is lost or half-written here either:
no move into a watched folder replaces anything, and whatever arrives at the path meanwhile stays there. But between the
steps nothing stands at the path, and after a crash there nothing does until the next start has put the original back.
To rename the variant over the path instead would destroy a picture that a camera puts there in that very instant.

A restoration goes the same way: the variant out to staged/ENTRY, then the original in, from vault/ENTRY.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from framekeep.reasons import Kept, Reason
from storage import renameat2, sidecar
from storage.faults import keeping
from storage.files import FileIdentity, inode_at, inode_of
from storage.reading import digest_at
from storage.records import VaultEntry
from storage.replacement import Swap, Unfinished, at_path, checked, is_original
from storage.root import Root, remove
from storage.strangers import set_aside
from storage.vault import OTHER, Way, drop, original_of, take_out

Place = tuple[int, str]
"""An open folder and a name in it."""


def swap_in(root: Root, swap: Swap) -> FileIdentity:
    """Puts the staged variant in the picture's place. Returns the variant's identity at the path.

    Raises Kept where the path no longer holds the file that was read: whatever arrived last stands there then.
    Raises Unfinished where something failed after the picture came out.
    """
    entry = swap.mark.entry
    with ExitStack() as opened:
        place, variant, somebody_waits = _out(opened, root, swap)
        with _unfinished(swap.path):
            try:
                if not is_original(root.vault, swap, variant) or somebody_waits():
                    _refuse("the file changed before it came out, and was put back")
                _put_in((root.staged, entry), place)
            except Kept:
                put_back(root, root.vault, entry, place)
                remove(root.staged, entry)
                os.fsync(root.staged)
                raise
            sidecar.follow(root.staged, entry, root.vault)
            for folder in (place[0], root.vault, root.staged):
                os.fsync(folder)
            return FileIdentity.of(at_path(*place, variant))


def _out(opened: ExitStack, root: Root, swap: Swap) -> tuple[Place, os.stat_result, Callable[[], bool]]:
    """The first step; where it fails, the variant is removed. Raises Kept.

    Returns the picture's folder and name, the variant, and the question whether somebody waits to write the original.
    """
    entry = swap.mark.entry
    with keeping():
        variant = os.stat(entry, dir_fd=root.staged, follow_symlinks=False)
        try:
            place = opened.enter_context(root.folder_of(swap.path))
            somebody_waits = checked(opened, place, swap)
            _take(*place, root.vault, entry)
        except (OSError, Kept):
            remove(root.staged, entry)
            raise
        return place, variant, somebody_waits


def _take(folder: int, name: str, own: int, entry: str) -> None:
    try:
        renameat2.take(folder, name, own, entry)
    except FileExistsError:
        raise
    except OSError:  # a server may have done what a lost answer, asked for again, says it cannot do
        if inode_at(own, entry) is None:
            raise


def _put_in(source: Place, place: Place) -> None:
    """The second step. Raises Kept where it did not happen, and OSError where only something behind it failed."""
    inode = inode_at(*source)
    try:
        renameat2.move(*source, *place)
    except FileExistsError as error:
        raise Kept(
            Reason.UNSETTLED, "something newer arrived at its path in the instant when nothing was there"
        ) from error
    except OSError:
        if inode is not None and inode_at(*place) == inode:
            raise
        with keeping():
            raise


def _refuse(note: str) -> NoReturn:
    raise Kept(Reason.UNSETTLED, note)


def put_back(root: Root, folder: int, entry: str, place: Place | None) -> None:
    """What came out to one of framekeep's own folders goes back to its path, durably.

    Where something newer stands there, or the path's folder is gone, it is set aside, not dropped.
    """
    if place is None or not _moved_back((folder, entry), place):
        set_aside(root, folder, entry, told_in=root.staged)  # its sidecar has not followed an original to the vault yet
    os.fsync(folder)


def _moved_back(source: Place, place: Place) -> bool:
    try:
        renameat2.move(*source, *place)
    except (FileExistsError, FileNotFoundError):
        return False
    os.fsync(place[0])
    return True


def restore(root: Root, held: VaultEntry) -> FileIdentity:
    """Puts the original back at its path, the very file that the camera wrote. Returns its identity there.

    The path must hold framekeep's variant, or nothing. Raises Kept, and then the path is as it was, or holds what has
    arrived since. Raises Unfinished where something failed after the variant came out.
    """
    original_of(root, held)
    with ExitStack() as opened:
        with keeping():
            place = opened.enter_context(root.folder_of(held.place.path))
            original = os.stat(held.entry, dir_fd=root.vault, follow_symlinks=False)
            is_unwanted = _variant_out(opened, Way(root, held, place, inode_of(original)))
        with _unfinished(held.place.path):
            try:
                if is_unwanted():
                    _refuse(OTHER)
                _put_in((root.vault, held.entry), place)
            except Kept:
                put_variant_back(root, held, place)
                raise
            os.fsync(place[0])
            os.fsync(root.vault)
            drop(root, held.entry, place[0])
            return FileIdentity.of(at_path(*place, original))


def _variant_out(opened: ExitStack, way: Way) -> Callable[[], bool]:
    """Returns the question whether what came out has to go back; nothing may have been there."""
    try:
        return take_out(opened, way, _take)
    except FileNotFoundError:
        return lambda: False


def put_variant_back(root: Root, held: VaultEntry, place: Place | None) -> None:
    """What a restoration took out goes back to its path, durably; nothing may have come out.

    Where something newer stands there, or the path's folder is gone, the variant goes and anything else is set aside.
    """
    staged = (root.staged, held.entry)
    if inode_at(*staged) is not None and (place is None or not _moved_back(staged, place)):
        if digest_at(*staged) == held.sha256_after:
            remove(*staged)
        else:
            set_aside(root, *staged)
    os.fsync(root.staged)


def end_move(source: Place, place: Place | None) -> bool:
    """Whether a crash stopped a move to the path when the file had both names; then it has only the new one now."""
    inode = inode_at(*source)
    if inode is None or place is None or inode_at(*place) != inode:
        return False
    os.fsync(place[0])
    remove(*source)
    os.fsync(source[0])
    return True


@contextmanager
def _unfinished(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unfinished(f"{path}: {error}") from error
