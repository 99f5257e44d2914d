"""The replacement of one file: the only module that changes what stands at a watched path.

    stage   the variant written to ROOT/.framekeep/staged/ENTRY with the original's owner, mode, times and attributes,
            and fsynced
    (plan)  the caller makes the ledger's row durable
    swap    a lease makes sure that nobody has the file open for writing; path and staged/ENTRY exchanged in one step;
            what came out is checked to be the file that was read and becomes vault/ENTRY, else it goes back; folders
            fsynced
    (confirm)

At every instant the path holds the camera's bytes or the whole variant. Recovery (storage/recovery.py) knows each state
that a crash can leave between these steps.
"""

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from framekeep.reasons import Kept, Reason
from storage import attribute, renameat2, sidecar
from storage.attribute import Mark
from storage.faults import keeping
from storage.files import FileIdentity, Inode, inode_at, inode_of
from storage.lease import no_writer
from storage.reading import open_picture, read_whole
from storage.root import Root, remove
from storage.strangers import set_aside

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
HALF: Final = ".part"
"""Behind the name of a variant that is not written wholly and durably yet: nothing else is called so."""
_PIN: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Unfinished(Exception):  # noqa: N818 - a state, which recovery ends at the next start
    """The exchange happened, and then something failed: the planned row stays, and the next start repairs."""


@dataclass(frozen=True, slots=True)
class Swap:
    """What is to be exchanged: the file that was read, and the variant's mark, which names both contents."""

    path: str
    read: FileIdentity
    mark: Mark
    stood: bytes | None = None
    """The SHA-256 of what was read, where that is no original: a variant that a later stage replaces."""


def stage(root: Root, swap: Swap, variant: bytes) -> None:
    """Writes the variant beside the vault, ready for the exchange. Raises Kept; then nothing is left behind."""
    entry = swap.mark.entry
    with keeping():
        try:
            with root.folder_of(swap.path) as place:
                original = open_picture(*place)
                try:
                    _write(root.staged, original, swap, variant)
                finally:
                    os.close(original)
            os.fsync(root.staged)
        except BaseException:
            for name in (entry + HALF, entry):
                remove(root.staged, name)
            raise


def swap_in(root: Root, swap: Swap, keep: Callable[[Root, str], None] | None = None) -> FileIdentity:
    """Exchanges the staged variant with the path. Returns the variant's identity at the path.

    `keep`: what is done, durably, with what came out, by the name of its entry (None: it goes to the vault).

    Raises Kept where the path no longer holds the file that was read: whatever arrived last stands there then.
    Raises Unfinished where the exchange happened and what follows it failed.
    """
    with ExitStack() as opened:
        folder, name, variant, somebody_waits = _exchange(opened, root, swap)
        try:
            if is_original(root.staged, swap, variant) and not somebody_waits():
                (keep or keep_original)(root, swap.mark.entry)
                os.fsync(folder)
                return FileIdentity.of(at_path(folder, name, variant))
            give_back(root, swap.mark.entry, (folder, name), inode_of(variant))
        except OSError as error:
            raise Unfinished(f"{swap.path}: {error}") from error
        raise Kept(Reason.UNSETTLED, "the file changed before the exchange, which was taken back")


def _exchange(opened: ExitStack, root: Root, swap: Swap) -> tuple[int, str, os.stat_result, Callable[[], bool]]:
    """The exchange alone, under a lease that `opened` holds on; where it fails, the variant is removed. Raises Kept.

    Returns the picture's folder and name, the variant, and the question whether somebody waits to write the original.
    """
    entry = swap.mark.entry
    with keeping():
        variant = os.fstat(pinned(opened, root.staged, entry))
        try:
            folder, name = opened.enter_context(root.folder_of(swap.path))
            somebody_waits = checked(opened, (folder, name), swap)
            renameat2.exchange(folder, name, root.staged, entry)
        except (OSError, Kept):
            if inode_at(root.staged, entry) == inode_of(variant):  # never an original, whatever the error meant
                remove(root.staged, entry)
            raise
        return folder, name, variant, somebody_waits


def checked(opened: ExitStack, place: tuple[int, str], swap: Swap) -> Callable[[], bool]:
    """The last look before the file that was read leaves its path. Raises Kept and OSError.

    From now on `opened` holds a lease on it. Returns the question whether somebody waits to write it.
    """
    original = open_picture(*place)
    opened.callback(os.close, original)
    somebody_waits = opened.enter_context(no_writer(original))
    _check_unchanged(os.fstat(original), swap)
    return somebody_waits


def keep_original(root: Root, entry: str) -> None:
    """The original that came out of the exchange becomes the vault's entry; its sidecar goes first."""
    sidecar.follow(root.staged, entry, root.vault)
    renameat2.take(root.staged, entry, root.vault, entry)
    os.fsync(root.vault)
    os.fsync(root.staged)


def give_back(root: Root, entry: str, place: tuple[int, str], variant: Inode) -> None:
    """Puts a stranger that came out of the exchange back at its path; `variant` is the variant's inode, pinned.

    Others may write the path meanwhile. Whatever arrived there last stays there: each exchange takes out either what
    we had put in (done) or something newer, which then has to go in again. A stranger that a newer file has replaced
    is set aside, not dropped.
    """
    folder, name = place
    with ExitStack() as opened:
        put_in, in_hand = variant, _pinned_inode(opened, root.staged, entry)
        while True:
            try:
                renameat2.exchange(folder, name, root.staged, entry)
            except FileNotFoundError:
                if _put_where_nothing_is(root, entry, place):
                    break
                continue
            came_out = _pinned_inode(opened, root.staged, entry)
            if came_out == put_in:
                _dispose(root, entry, is_variant=came_out == variant)
                break
            put_in, in_hand = in_hand, came_out
    os.fsync(folder)
    os.fsync(root.staged)


def pinned(opened: ExitStack, folder: int, name: str) -> int:
    """A descriptor of whatever stands there. As long as `opened` lasts no newer file can get its inode's number."""
    descriptor = os.open(name, _PIN, dir_fd=folder)
    opened.callback(os.close, descriptor)
    return descriptor


def _pinned_inode(opened: ExitStack, folder: int, name: str) -> Inode:
    return inode_of(os.fstat(pinned(opened, folder, name)))


def _write(staged: int, original: int, swap: Swap, variant: bytes) -> None:
    status = os.fstat(original)
    _check_unchanged(status, swap)
    entry = swap.mark.entry
    descriptor = os.open(entry + HALF, _CREATE, 0o600, dir_fd=staged)
    try:
        swap.mark.write(descriptor)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(variant)
        _copy_properties(original, status, descriptor)
        os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(descriptor)
        os.rename(entry + HALF, entry, src_dir_fd=staged, dst_dir_fd=staged)
    finally:
        os.close(descriptor)


def _check_unchanged(status: os.stat_result, swap: Swap) -> None:
    """Until the exchange the ctime holds, which tells of a chmod, a new attribute or a link too. Raises Kept."""
    if FileIdentity.of(status) != swap.read:
        raise Kept(Reason.UNSETTLED)


def _copy_properties(original: int, status: os.stat_result, descriptor: int) -> None:
    """Attributes (ACLs too) while the file is ours and may be written; then the owner, whose change clears mode bits.

    Raises Kept where the mode did not come out as it was: the kernel drops a set-gid bit without a word.
    """
    present = _attributes(descriptor)
    for name, value in _attributes(original).items():
        if present.get(name) != value:  # a security module may have given the same already, and forbid to set it
            os.setxattr(descriptor, name, value)
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    if os.fstat(descriptor).st_mode != status.st_mode:  # FAT, for one, refuses even a change to what is
        os.fchmod(descriptor, status.st_mode & 0o7777)
    if os.fstat(descriptor).st_mode != status.st_mode:
        raise Kept(Reason.NOT_PERMITTED, f"its mode {status.st_mode & 0o7777:04o} cannot be given to the variant")


def _attributes(descriptor: int) -> dict[str, bytes]:
    try:
        names = os.listxattr(descriptor)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return {}
    return {name: os.getxattr(descriptor, name) for name in names if name != attribute.NAME}


def is_original(folder: int, swap: Swap, variant: os.stat_result) -> bool:
    """Whether what came out is the very file that was read: the same bytes, no second name, its owner and mode copied.

    It lies in this open folder by now. That has changed its ctime, which is not asked any more.
    """
    try:
        descriptor = open_picture(folder, swap.mark.entry)
    except (Kept, OSError):
        return False
    try:
        status = os.fstat(descriptor)
        if not FileIdentity.of(status).same_content_as(swap.read) or _rights(status) != _rights(variant):
            return False
        due = swap.stood or swap.mark.original
        return hashlib.sha256(read_whole(descriptor, swap.read.size)).digest() == due
    finally:
        os.close(descriptor)


def _rights(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mode, status.st_uid, status.st_gid


def at_path(folder: int, name: str, before: os.stat_result) -> os.stat_result:
    """The state of what was just put there, from the path where it still stands, else as it was before."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return before
    return status if os.path.samestat(status, before) else before


def _put_where_nothing_is(root: Root, entry: str, place: tuple[int, str]) -> bool:
    """Somebody deleted what we had put in: what is in hand goes to the empty path. False: the path is taken again."""
    try:
        renameat2.move(root.staged, entry, *place)
    except FileExistsError:
        return False
    return True


def _dispose(root: Root, entry: str, *, is_variant: bool) -> None:
    if is_variant:
        remove(root.staged, entry)
    else:
        set_aside(root, root.staged, entry)
