"""What a start does with each state that a crash can leave. Idempotent: a crash during recovery changes nothing.

row       staged/ENTRY          vault/ENTRY   meaning                           outcome
planned   the variant           -             not exchanged (or given back)     variant removed, abandoned
planned   the original          -             exchanged, not yet in the vault   moved to the vault, confirmed
planned   something else        -             a stranger came out               given back, abandoned
planned   -                     the original  exchanged and kept                confirmed
planned   -                     anything      kept, then written by somebody    confirmed where the variant stands
planned   -                     -             the variant was removed already   abandoned
planned   the variant           anything      out, but not in (two steps)       put back, variant removed, abandoned
none      marked as a variant   -             staged, never planned             removed
none      ENTRY.part            -             not even staged wholly            removed
none      anything else         -             nobody knows it                   set aside under strangers/

Where a later stage's variant takes the place of another one, the original is in the vault all the time, under ENTRY:

planned   the new variant       the original  not exchanged (or given back)     variant removed, abandoned
planned   the old variant       the original  exchanged                         confirmed, the old variant removed
planned   something else        the original  a stranger came out               given back, abandoned
planned   -                     the original  not staged, or removed already    abandoned
done      the old variant       the original  confirmed, not removed yet        removed

A second generation is made from the variant that stands, which comes out into the vault as an original does: the first
table is its table.

What is put back goes to its path where nothing stands there, else under strangers/. Where a root cannot exchange, an
original whose variant is neither staged nor at the path is put back, too. A file that stands at the path and in
staged/ or the vault, which is how renameat2.move works there, loses the second name first. Files without a mark are
known as variants by their sidecar or, where that tells of a later stage by now, by the ledger. Under strangers/ nothing
is replaced: storage/strangers.py.

A sidecar goes with its original: to the vault where that is there, aside with what is set aside, else it is removed.
One that tells of what stands at its path takes the place of the vault's: it is that of a later stage, also where the
ledger that planned it is lost.
What a restoration leaves: storage/restorations.py.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import astuple, dataclass
from typing import Protocol

from framekeep.reasons import Kept, Reason
from storage import racy, sidecar, succession
from storage.attribute import read_mark
from storage.files import FileIdentity, inode_at, inode_of
from storage.reading import digest_at, open_picture
from storage.records import Planned
from storage.replacement import HALF, give_back, keep_original, pinned
from storage.restorations import Rows, end_interrupted, place_of
from storage.root import Root, remove
from storage.strangers import set_aside
from storage.vault import locked


class Journal(Rows, Protocol):
    """What recovery needs of the ledger."""

    def pending(self) -> list[Planned]: ...

    def confirm(self, confirmations: Sequence[tuple[int, FileIdentity]]) -> None: ...

    def abandon(self, abandonments: Sequence[tuple[int, Reason, str]]) -> None: ...

    def was_made(self, entry: str, sha256: bytes) -> bool: ...


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
            done += _clear(journal, root) + Recovered(restored=restored, not_restored=not_restored)
    return done


def _finish(journal: Journal, root: Root, planned: Planned) -> Recovered:
    with ExitStack() as opened:
        place = place_of(opened, root, planned.place.path)
        was_exchanged = _was_exchanged if planned.stood is None else _has_succeeded
        if was_exchanged(root, planned, place):
            identity = _variant_at(place, planned) or planned.identity
            journal.confirm([(planned.decision, identity)])
            if planned.stood is not None:
                succession.drop(root, planned.vault_entry)
            return Recovered(confirmed=1)
    journal.abandon([(planned.decision, Reason.UNSETTLED, "interrupted before the exchange")])
    return Recovered(abandoned=1)


def _was_exchanged(root: Root, planned: Planned, place: racy.Place | None) -> bool:
    """Whether the exchange happened; makes the files agree with the answer."""
    entry = planned.vault_entry
    for folder in (root.staged, root.vault):
        racy.end_move((folder, entry), place)
    for folder in (*(place[:1] if place else ()), root.vault, root.staged):
        os.fsync(folder)  # the process that moved something there may have died before it had done so
    staged = digest_at(root.staged, entry)
    if staged is None:
        return _is_kept(root, planned, place)
    if staged == planned.sha256_before:
        keep_original(root, entry)
        return True
    if staged == planned.sha256_after:
        if inode_at(root.vault, entry) is not None:
            racy.put_back(root, root.vault, entry, place)
        remove(root.staged, entry)
    else:
        _give_stranger_back(root, planned)
    return False


def _has_succeeded(root: Root, planned: Planned, place: racy.Place | None) -> bool:
    """The same of a later stage's variant; the one that came out of the exchange stays in staged."""
    entry = planned.vault_entry
    for folder in (*(place[:1] if place else ()), root.vault, root.staged):
        os.fsync(folder)
    staged = digest_at(root.staged, entry)
    if staged is not None and staged == planned.stood:
        succession.keep_sidecar(root, entry)
        return True
    if staged == planned.sha256_after:
        remove(root.staged, entry)
    elif staged is not None:
        _give_stranger_back(root, planned)
    sidecar.drop(root.staged, entry)
    return False


def _is_kept(root: Root, planned: Planned, place: racy.Place | None) -> bool:
    """Of a replacement with nothing staged any more: whether the vault's entry is what the variant has replaced."""
    entry = planned.vault_entry
    kept = digest_at(root.vault, entry)
    if kept is None:
        return False
    there = digest_at(*place) if place else None
    if there == planned.sha256_after or (kept == planned.sha256_before and (there is not None or root.exchanges)):
        return True
    racy.put_back(root, root.vault, entry, place)
    return False


def _give_stranger_back(root: Root, planned: Planned) -> None:
    """The variant stands at the path, unless something newer has replaced it."""
    entry = planned.vault_entry
    try:
        with root.folder_of(planned.place.path) as (folder, name), ExitStack() as opened:
            variant = os.fstat(pinned(opened, folder, name))
            if digest_at(folder, name) == planned.sha256_after:
                give_back(root, entry, (folder, name), inode_of(variant))
                return
    except FileNotFoundError:
        pass
    set_aside(root, root.staged, entry)


def _variant_at(place: racy.Place | None, planned: Planned) -> FileIdentity | None:
    """The variant's identity where it still stands at its path."""
    if place is None or digest_at(*place) != planned.sha256_after:
        return None
    with suppress(FileNotFoundError):
        return FileIdentity.of(os.stat(place[1], dir_fd=place[0], follow_symlinks=False))
    return None


def _clear(journal: Journal, root: Root) -> Recovered:
    done = Recovered()
    succession.bring_sidecars_home(root)  # the ledger may be another one, which plans nothing
    names = os.listdir(root.staged)  # noqa: PTH208 - by descriptor, so that no link leads elsewhere
    for name in names:
        if sidecar.is_one(name):
            continue
        if name.startswith("probe-") or name.endswith(HALF) or _is_variant(journal, root, name):
            remove(root.staged, name)
            done += Recovered(removed=1)
        else:
            set_aside(root, root.staged, name)
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


def _is_variant(journal: Journal, root: Root, entry: str) -> bool:
    """Whether the file carries framekeep's own mark or, where that is missing, is what its sidecar or the ledger says.

    An original is none of that.
    """
    try:
        descriptor = open_picture(root.staged, entry)
    except (OSError, Kept):
        return False
    try:
        mark = read_mark(descriptor)
    finally:
        os.close(descriptor)
    if mark is not None:
        return mark.entry == entry
    return _is_by_its_sidecar(root, entry) or _is_by_the_ledger(journal, root, entry)


def _is_by_its_sidecar(root: Root, entry: str) -> bool:
    try:
        draft = sidecar.load(root.staged, entry, root.path)
    except sidecar.NoSidecarError:
        return False
    return digest_at(root.staged, entry) == draft.sha256_after


def _is_by_the_ledger(journal: Journal, root: Root, entry: str) -> bool:
    """Of what a later stage took the place of, whose sidecar tells of the new one by now."""
    sha256 = digest_at(root.staged, entry)
    return sha256 is not None and journal.was_made(entry, sha256)
