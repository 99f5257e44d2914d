"""A ledger that was lost must not be followed by a new one: that would know of no hold, and of nothing restored."""

from collections.abc import Iterable

from framekeep.errors import LedgerError
from storage.ledger.opening import file_of, ledger_exists
from storage.root import Tree
from storage.vault import is_in_use


def refuse_new_ledger(url: str, roots: Iterable[Tree]) -> None:
    """Raises LedgerError where there is no ledger, though a root's vault holds something."""
    if ledger_exists(url):
        return
    try:
        used = next((root.path for root in roots if is_in_use(root)), None)
    except OSError as error:
        raise LedgerError(f"a vault cannot be read: {error}; correct that first") from error
    if used is not None:
        raise LedgerError(
            f"There is no ledger at {file_of(url)}, but the vault of {used} holds originals: put a backup of the "
            "ledger in its place, or correct `url` in [ledger], or make it anew with framekeep ledger rebuild and "
            "add the legal holds again."
        )
