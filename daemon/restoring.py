"""Restoring: originals that the vault still holds go back to their paths. Works beside a running daemon."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from daemon.config.schema import Config
from daemon.house import open_root
from framekeep.reasons import Kept
from storage import racy, vault
from storage.ledger.answers import Held
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.writer import Writer
from storage.records import VaultEntry
from storage.replacement import Unfinished
from storage.restorations import end_interrupted
from storage.root import Root


def restorable(config: Config, wanted: Held) -> list[VaultEntry]:
    """What the vault holds of what is wanted, the newest original of each path. Raises LedgerError."""
    with open_reader(config.ledger.url) as reader:  # a writer would make a ledger where none is
        return reader.held(wanted)


def restore_all(config: Config, entries: Sequence[VaultEntry]) -> Iterator[tuple[VaultEntry, str | None]]:
    """Restores originals one by one, and tells of each why it was not restored; None: it was.

    Raises LedgerError, and ConfigurationError for a root that cannot be used.
    """
    with ExitStack() as opened:
        paths = {held.place.root for held in entries}
        roots = {path: opened.enter_context(open_root(path, config)) for path in paths}
        writer = opened.enter_context(open_writer(config.ledger.url))
        for held in entries:
            yield held, _restored(writer, roots[held.place.root], held)


def _restored(writer: Writer, root: Root, held: VaultEntry) -> str | None:
    now = datetime.now(UTC)
    with vault.locked(root):
        try:
            end_interrupted(writer, root)
        except OSError as error:
            return f"what a crash left of another restoration cannot be repaired: {error}"
        if fault := _folder_fault(root, held.place.path):
            return fault
        if not writer.begin_restoration(held.decision, now):
            return "the vault holds its original no longer"
        try:
            identity = vault.restore(root, held) if root.exchanges else racy.restore(root, held)
        except Kept as kept:
            writer.forgo(held.decision)
            return str(kept)
        except Unfinished as unfinished:
            return f"{unfinished}: the next restore, release or start ends what was begun"
        writer.restore(held.decision, identity, now)
    return None


def _folder_fault(root: Root, path: str) -> str | None:
    """What is wrong with the folder that a picture is to go back to, and what to do."""
    try:
        with root.folder_of(path):
            return None
    except OSError as error:
        folder = Path(root.path, path).parent
        return f"its folder {folder} cannot be entered ({error.strerror}): make it or open it, then restore again"
