"""Restoring: originals that the vault still holds go back to their paths. Works beside a running daemon."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from daemon.config.schema import Config
from framekeep.reasons import Kept
from storage import vault
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.writer import Writer
from storage.records import Place, VaultEntry
from storage.root import Root


def restore_all(config: Config, places: Sequence[Place]) -> Iterator[tuple[Place, VaultEntry | str]]:
    """Restores each place's newest original, and tells what was restored or why not.

    Raises LedgerError, and ConfigurationError for a root that cannot be used.
    """
    with open_reader(config.ledger.url) as reader:  # a writer would make a ledger where none is
        held = {place: reader.entry_of(place.root, place.path) for place in places}
    with open_writer(config.ledger.url) as writer:
        for place, entry in held.items():
            yield place, _restored(writer, entry)


def _restored(writer: Writer, held: VaultEntry | None) -> VaultEntry | str:
    if held is None:
        return "the vault holds no original of it"
    try:
        with Root(held.place.root) as root:
            identity = vault.restore(root, held)
    except Kept as kept:
        return str(kept)
    writer.restore(held.decision, identity, datetime.now(UTC))
    return held
