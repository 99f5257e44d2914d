"""What a start does with each state that a crash can leave. Idempotent: a crash during recovery changes nothing.

row       staged/ENTRY          vault/ENTRY   meaning                           outcome
planned   the variant           -             not exchanged (or given back)     variant removed, abandoned
planned   the original          -             exchanged, not yet in the vault   moved to the vault, confirmed
planned   something else        -             a stranger came out               given back, abandoned
planned   -                     the original  exchanged and kept                confirmed
planned   -                     -             the variant was removed already   abandoned
none      marked as a variant   -             staged, never planned             removed
none      anything else         -             nobody knows it                   set aside under strangers/

A sidecar goes with its original: to the vault where that is there, aside with what is set aside, else it is removed.
What a restoration leaves: storage/restorations.py.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from typing import Final, Protocol

from framekeep.reasons import Kept, Reason
from storage import sidecar
from storage.attribute import read_mark
from storage.files import FileIdentity
from storage.reading import digest_at, open_picture
from storage.records import Planned
from storage.replacement import give_back, keep_original, pinned, set_aside
from storage.restorations import Rows, end_interrupted
from storage.root import Root, remove
from storage.vault import inode_at, locked

_GONE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""The picture, or its folder, is there no longer, or a link stands in its place."""


class Journal(Rows, Protocol):
    """What recovery needs of the ledger."""

    def pending(self) -> list[Planned]: ...

    def confirm(self, confirmations: Sequence[tuple[int, FileIdentity]]) -> None: ...

    def abandon(self, abandonments: Sequence[tuple[int, Reason, str]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a start found and did: numbers of decisions and of files."""

    confirmed: int = 0
    abandoned: int = 0
    removed: int = 0
    set_aside: int = 0
    restored: int = 0
    """Restorations that were interrupted, and are done now."""
    not_restored: int = 0
    """Restorations that were interrupted before the exchange: the original is in the vault."""

    def __add__(self, other: "Recovered") -> "Recovered":
        return Recovered(*map(sum, zip(astuple(self), astuple(other), strict=True)))


def recover(journal: Journal, roots: Sequence[Root]) -> Recovered:
    """Ends every replacement and restoration that a crash interrupted in these roots, then clears their `staged/`.

    Raises OSError.
    """
    by_path = {root.path: root for root in roots}
    done = Recovered()
    for planned in journal.pending():
        if root := by_path.get(planned.place.root):
            done += _finish(journal, root, planned)
    for root in roots:
        with locked(root):
            restored, not_restored = end_interrupted(journal, root)
            done += _clear(root) + Recovered(restored=restored, not_restored=not_restored)
    return done


def _finish(journal: Journal, root: Root, planned: Planned) -> Recovered:
    if _was_exchanged(root, planned):
        identity = _variant_at_path(root, planned) or planned.identity
        journal.confirm([(planned.decision, identity)])
        return Recovered(confirmed=1)
    journal.abandon([(planned.decision, Reason.UNSETTLED, "interrupted before the exchange")])
    return Recovered(abandoned=1)


def _was_exchanged(root: Root, planned: Planned) -> bool:
    """Whether the exchange happened; makes the files agree with the answer."""
    entry = planned.vault_entry
    staged = digest_at(root.staged, entry)
    if staged is None:
        os.fsync(root.vault)  # the process that moved it there may have died before it had done so
        os.fsync(root.staged)
        return digest_at(root.vault, entry) == planned.sha256_before
    if staged == planned.sha256_before:
        keep_original(root, entry)
        return True
    if staged == planned.sha256_after:
        remove(root.staged, entry)
    else:
        _give_stranger_back(root, planned)
    return False


def _give_stranger_back(root: Root, planned: Planned) -> None:
    """The variant stands at the path, unless something newer has replaced it."""
    entry = planned.vault_entry
    try:
        with root.folder_of(planned.place.path) as (folder, name), ExitStack() as opened:
            variant = os.fstat(pinned(opened, folder, name))
            if digest_at(folder, name) == planned.sha256_after:
                give_back(root, entry, (folder, name), variant.st_ino)
                return
    except FileNotFoundError:
        pass
    set_aside(root, entry)


def _variant_at_path(root: Root, planned: Planned) -> FileIdentity | None:
    """The variant's identity where it still stands at its path; the folder is made durable on the way."""
    try:
        with root.folder_of(planned.place.path) as (folder, name):
            os.fsync(folder)
            if digest_at(folder, name) == planned.sha256_after:
                return FileIdentity.of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except OSError as error:
        if error.errno not in _GONE:  # a fsync that failed, for one, must not pass for one that worked
            raise
    return None


def _clear(root: Root) -> Recovered:
    done = Recovered()
    names = os.listdir(root.staged)  # noqa: PTH208 - by descriptor, so that no link leads elsewhere
    for name in names:
        if sidecar.is_one(name):
            continue
        if name.startswith("probe-") or _is_variant(root, name):
            remove(root.staged, name)
            done += Recovered(removed=1)
        else:
            set_aside(root, name)
            done += Recovered(set_aside=1)
    for name in filter(sidecar.is_one, names):
        _clear_sidecar(root, sidecar.entry_of(name))
    return done


def _clear_sidecar(root: Root, entry: str) -> None:
    """One that is alone in staged: its original came to the vault before it, or it has none."""
    if inode_at(root.vault, entry) is None:
        sidecar.drop(root.staged, entry)
    else:
        sidecar.follow(root.staged, entry, root.vault)
        os.fsync(root.vault)


def _is_variant(root: Root, entry: str) -> bool:
    """Whether the file carries framekeep's own mark for this entry, or was just made: an original is neither."""
    try:
        descriptor = open_picture(root.staged, entry)
    except (OSError, Kept):
        return False
    try:
        mark = read_mark(descriptor)
        return os.fstat(descriptor).st_size == 0 or (mark is not None and mark.entry == entry)
    finally:
        os.close(descriptor)
