"""Releasing: originals whose time in the vault is over are deleted, which frees what their decisions saved."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from daemon.log import log
from framekeep.reasons import Kept
from storage import vault
from storage.holds import HoldBook, unheld_while
from storage.ledger.reader import Reader
from storage.ledger.writer import Writer
from storage.records import VaultEntry
from storage.restorations import end_interrupted
from storage.root import Root, Tree

_AT_ONCE: Final = 500
"""Entries a transaction."""
_CHANGED: Final = "the vault's entry was not the original any more: it lies under .framekeep/strangers"


@dataclass(frozen=True, slots=True)
class Vaults:
    """Open roots by their paths, and the holds that bind what their vaults hold."""

    roots: Mapping[str, Root]
    holds: HoldBook


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why originals are deleted: a note for the ledger, and whether that is so of one even when its turn comes."""

    note: str
    still_so: Callable[[Root, VaultEntry], bool]


_DUE: Final = Grounds("", lambda _root, _held: True)


@dataclass(frozen=True, slots=True)
class Released:
    """How many originals were deleted, and how many bytes that freed."""

    originals: int = 0
    bytes: int = 0
    set_aside: int = 0
    """Those that were no originals any more."""
    held: int = 0
    """Those that a legal hold covers."""

    def __add__(self, other: "Released") -> "Released":
        return Released(
            self.originals + other.originals,
            self.bytes + other.bytes,
            self.set_aside + other.set_aside,
            self.held + other.held,
        )


@dataclass(slots=True)
class _Batch:
    """What becomes of some entries."""

    gone: list[VaultEntry] = field(default_factory=list)
    changed: list[VaultEntry] = field(default_factory=list)
    held: list[VaultEntry] = field(default_factory=list)


def due_now(reader: Reader, trees: Mapping[str, Tree], holds: HoldBook, now: datetime) -> Released:
    """What a release would delete and what it would not, for a hold. Raises LedgerError."""
    originals, size = reader.due(now, list(trees))
    held = list(held_due(reader, trees, holds, now))
    return Released(originals - len(held), size - sum(entry.bytes_before for entry in held), held=len(held))


def held_due(reader: Reader, trees: Mapping[str, Tree], holds: HoldBook, now: datetime) -> Iterator[VaultEntry]:
    """What is due in these roots and stays all the same, for a hold. Raises LedgerError."""
    if not reader.holds():
        return
    last = None
    while due := reader.due_entries(now, _AT_ONCE, list(trees), last):
        yield from (entry for entry in due if _is_held(trees[entry.place.root], entry, holds))
        last = due[-1]


def _is_held(tree: Tree, entry: VaultEntry, holds: HoldBook) -> bool:
    """An original whose times cannot be read counts as held: it would not be deleted either."""
    try:
        return holds.over_original(tree, entry) is not None
    except OSError:
        return True


def release_due(writer: Writer, vaults: Vaults, now: datetime) -> Released:
    """Deletes what is due in these roots and not held. Raises LedgerError."""
    observe_clock(writer)
    end_restorations(writer, vaults.roots.values())
    done, last = Released(), None
    while due := writer.due(now, _AT_ONCE, list(vaults.roots), last):
        done += delete(writer, vaults, due, now)
        last = due[-1]  # what cannot be deleted now stays due for the next time
    return done


def observe_clock(writer: Writer) -> None:
    """To be asked at each start, so that the next release knows whether the wall clock was set. Raises LedgerError."""
    if by := writer.observe_clock():
        log.warning("clock_set", hours=round(by.total_seconds() / 3600, 1), outcome="days count from now")


def end_restorations(writer: Writer, roots: Iterable[Root]) -> None:
    """Ends those that a crash interrupted, so that none is left half done beside what follows. Raises LedgerError."""
    for root in roots:
        try:
            with vault.locked(root):
                end_interrupted(writer, root)
        except OSError as error:
            log.error("restoration_unfinished", root=root.path, error=str(error))


def delete(
    writer: Writer, vaults: Vaults, entries: Iterable[VaultEntry], now: datetime, why: Grounds = _DUE
) -> Released:
    """Deletes originals for good, but what is held, and tells the ledger once that is durable. Raises LedgerError."""
    batch, roots = _Batch(), vaults.roots
    for held in entries:
        _delete(writer, vaults, held, why, batch)
    writer.quarantine([held.decision for held in batch.changed], now, _CHANGED)
    unsynced = {root for root in {held.place.root for held in batch.gone} if not _is_synced(roots[root])}
    gone = [held for held in batch.gone if held.place.root not in unsynced]
    writer.release([held.decision for held in gone], now, why.note)
    return Released(len(gone), sum(held.bytes_before for held in gone), len(batch.changed), len(batch.held))


def _delete(writer: Writer, vaults: Vaults, held: VaultEntry, why: Grounds, batch: _Batch) -> None:
    root = vaults.roots[held.place.root]
    try:
        with vault.locked(root), unheld_while(root):
            if not (writer.is_held(held.decision) and why.still_so(root, held)):
                return
            if vaults.holds.over_original(root, held):
                batch.held.append(held)
                return
            is_gone = vault.release(root, held)
    except (OSError, Kept) as error:
        log.error("release_failed", path=held.place.path, entry=held.entry, error=str(error))
        return
    if is_gone:
        batch.gone.append(held)
    else:
        batch.changed.append(held)
        log.error("original_changed", path=held.place.path, entry=held.entry, outcome=_CHANGED)


def _is_synced(root: Root) -> bool:
    """Whether what was deleted stays so; if that is not known, the ledger is not told."""
    try:
        os.fsync(root.vault)
    except OSError as error:
        log.error("release_failed", root=root.path, error=str(error))
        return False
    return True
