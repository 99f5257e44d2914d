"""What a start does with each state that a crash can leave. Idempotent: a crash during recovery changes nothing.

row       staged/ENTRY          vault/ENTRY   meaning                           outcome
planned   the variant           -             not exchanged (or given back)     variant removed, abandoned
planned   the original          -             exchanged, not yet in the vault   moved to the vault, confirmed
planned   something else        -             a stranger came out               given back, abandoned
planned   -                     the original  exchanged and kept                confirmed
planned   -                     -             the variant was removed already   abandoned
none      marked as a variant   -             staged, never planned             removed
none      anything else         -             nobody knows it                   set aside under strangers/
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from framekeep.reasons import Kept, Reason
from storage.attribute import read_mark
from storage.files import FileIdentity
from storage.reading import open_picture, read_whole
from storage.records import Planned
from storage.replacement import give_back, keep_original, pinned, set_aside
from storage.root import Root, remove


class Journal(Protocol):
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

    def __add__(self, other: "Recovered") -> "Recovered":
        return Recovered(
            self.confirmed + other.confirmed,
            self.abandoned + other.abandoned,
            self.removed + other.removed,
            self.set_aside + other.set_aside,
        )


def recover(journal: Journal, roots: Sequence[Root]) -> Recovered:
    """Ends every replacement that a crash interrupted in these roots, then clears their `staged/`. Raises OSError."""
    by_path = {root.path: root for root in roots}
    done = Recovered()
    for planned in journal.pending():
        if root := by_path.get(planned.place.root):
            done += _finish(journal, root, planned)
    for root in roots:
        done += _clear(root)
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
    staged = _digest(root.staged, entry)
    if staged is None:
        os.fsync(root.vault)  # the process that moved it there may have died before it had done so
        os.fsync(root.staged)
        return _digest(root.vault, entry) == planned.sha256_before
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
            if _digest(folder, name) == planned.sha256_after:
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
            if _digest(folder, name) == planned.sha256_after:
                return FileIdentity.of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except OSError:
        return None
    return None


def _clear(root: Root) -> Recovered:
    done = Recovered()
    for name in os.listdir(root.staged):  # noqa: PTH208 - by descriptor, so that no link leads elsewhere
        if name.startswith("probe-") or _is_variant(root, name):
            remove(root.staged, name)
            done += Recovered(removed=1)
        else:
            set_aside(root, name)
            done += Recovered(set_aside=1)
    return done


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


def _digest(folder: int, name: str) -> bytes | None:
    """The SHA-256 of a regular file; None where nothing is there, and empty for what is no readable file."""
    try:
        descriptor = open_picture(folder, name)
    except FileNotFoundError:
        return None
    except (OSError, Kept):
        return b""
    try:
        return hashlib.sha256(read_whole(descriptor, os.fstat(descriptor).st_size)).digest()
    finally:
        os.close(descriptor)
