"""Releasing: originals whose time in the vault is over are deleted, which frees what their decisions saved."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from daemon.log import log
from storage import vault
from storage.ledger.writer import Writer
from storage.records import VaultEntry
from storage.root import Root

_AT_ONCE: Final = 500
"""Entries a transaction."""


@dataclass(frozen=True, slots=True)
class Released:
    """How many originals were deleted, and how many bytes that freed."""

    originals: int = 0
    bytes: int = 0


def release_due(writer: Writer, roots: Mapping[str, Root], now: datetime) -> Released:
    """Deletes what is due in these roots. Raises LedgerError."""
    done = Released()
    while due := writer.due(now, _AT_ONCE, list(roots)):
        gone = [held for held in due if _delete(roots[held.place.root], held)]
        writer.release([held.decision for held in gone], now)
        done = Released(done.originals + len(gone), done.bytes + sum(held.bytes_before for held in gone))
        if len(gone) < len(due):  # what cannot be deleted now stays due for the next time
            break
    return done


def _delete(root: Root, held: VaultEntry) -> bool:
    try:
        vault.release(root, held)
    except OSError as error:
        log.error("release_failed", path=held.place.path, entry=held.entry, error=errno.errorcode.get(error.errno or 0))
        return False
    return True
