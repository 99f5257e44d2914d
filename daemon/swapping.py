"""What changes files at a replacement, with the sidecars and under the locks that belong to it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from daemon.sheet import Sheet
from framekeep.reasons import Kept, Reason
from storage import racy, replacement, sidecar, succession, vault
from storage.faults import keeping
from storage.files import FileIdentity
from storage.holds import HoldBook, unheld_while
from storage.records import Draft
from storage.replacement import Swap
from storage.root import Root, remove


def stage(root: Root, swap: Swap, variant: bytes, draft: Draft) -> None:
    """The sidecar and the variant, whose folder is fsynced once for both. Raises Kept; then nothing is left behind."""
    with keeping():
        sidecar.stage(root, draft)
    with without_sidecar(root, swap):
        replacement.stage(root, swap, variant)


def swap_in(root: Root, swap: Swap, is_unheld: Callable[[], None]) -> FileIdentity:
    """Under the locks that holds and, where a variant takes another one's place, releases wait for.

    Raises Kept, also from `is_unheld`, and Unfinished.
    """
    with without_sidecar(root, swap), ExitStack() as opened:
        try:
            with keeping():
                if swap.stood is not None:
                    opened.enter_context(vault.locked(root))
                opened.enter_context(unheld_while(root))
            is_unheld()
        except Kept:
            remove(root.staged, swap.mark.entry)
            raise
        if swap.stood is not None:
            return succession.swap_on(root, swap)
        return replacement.swap_in(root, swap) if root.exchanges else racy.swap_in(root, swap)


def check_unheld(holds: HoldBook, sheet: Sheet, data: bytes) -> None:
    """`data`: the picture or a variant of it. A later stage asks about the original in the vault, too. Raises Kept."""
    candidate = sheet.candidate
    original = sheet.stands.source.lineage.held if sheet.stands and sheet.stands.source else None
    hold = holds.over_either(candidate.tree, candidate.place, (sheet.identity.mtime_ns, data), original)
    if hold:
        raise Kept(Reason.HELD, f"hold {hold.number}")


@contextmanager
def without_sidecar(root: Root, swap: Swap) -> Iterator[None]:
    """Where the replacement does not happen, its sidecar goes."""
    try:
        yield
    except Kept:
        sidecar.drop(root.staged, swap.mark.entry)
        raise
