"""Whether the ledger can be used."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from daemon.checks.check import Check, State
from daemon.checks.filesystem import filesystem_of, is_remote
from daemon.lost_ledger import refuse_new_ledger
from framekeep.errors import ConfigurationError, LedgerError
from storage.ledger.opening import file_of, open_reader

_NAME: Final = "ledger"


def check_ledger(url: str, roots: Iterable[Path] = ()) -> Check:
    """Opens the ledger, which tells its schema, and reads the whole file for damage.

    Where there is none, the roots' vaults tell whether there was one.
    """
    try:
        ledger = file_of(url)
        _check_access(ledger)
        if not ledger.exists():
            refuse_new_ledger(url, roots)
            return Check(_NAME, State.OK, f"there is none yet; the first start makes {ledger}")
        _check_content(url, ledger)
    except (ConfigurationError, LedgerError) as error:
        return Check.failed(_NAME, error)
    kind = filesystem_of(ledger)
    if is_remote(kind):
        return Check(
            _NAME, State.WARNING, f"{ledger} lies on {kind}, where SQLite is not safe: move it to a local disk"
        )
    return Check(_NAME, State.OK, f"{ledger} is sound, on {kind}")


def _check_access(ledger: Path) -> None:
    """SQLite writes files beside the ledger, so the folder matters as much."""
    folder = next(parent for parent in ledger.parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK) or (ledger.exists() and not os.access(ledger, os.W_OK)):
        raise LedgerError(
            f"this user may not write {ledger}: give it the file and its folder, or run as the right user"
        )


def _check_content(url: str, ledger: Path) -> None:
    with open_reader(url) as reader:
        if damage := reader.damage():
            raise LedgerError(
                f"{ledger} is damaged ({damage}): stop framekeep and put a backup of the ledger in its place"
            )
