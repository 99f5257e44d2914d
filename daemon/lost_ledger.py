"""A ledger that was lost must not be followed by a new one: that would know of no hold, and of nothing restored."""

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from framekeep.errors import LedgerError
from storage.ledger.opening import file_of, known_roots
from storage.root import Tree
from storage.vault import is_in_use


def refuse_new_ledger(url: str, roots: Iterable[Path]) -> None:
    """Raises LedgerError where there is no ledger, or an empty file, though the vault of a root holds an original.

    Makes nothing in the roots, which may be empty mount points. Raises ConfigurationError where one cannot be opened.
    """
    ledger = file_of(url)
    try:
        if ledger.exists() and ledger.stat().st_size:
            return
        with ExitStack() as opened:
            trees = [opened.enter_context(Tree(str(root))) for root in roots]
            used = next((tree.path for tree in trees if is_in_use(tree)), None)
    except OSError as error:
        raise LedgerError(f"it cannot be told whether there was a ledger at {ledger}: {error}") from error
    if used is not None:
        raise LedgerError(
            f"There is no ledger at {ledger}, but the vault of {used} holds originals: put a backup of the ledger in "
            "its place, or correct `url` in [ledger], or make it anew with framekeep ledger rebuild (--force where an "
            "empty file is there) and add the legal holds again."
        )


def roots_as_far_as_known(url: str) -> frozenset[str]:
    """The roots that were worked in, none where the ledger is lost or cannot be read."""
    with suppress(LedgerError):
        return known_roots(url)
    return frozenset()
