"""Acting in earnest: plan, replace, confirm. Every step is durable before the next begins."""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace as changed
from functools import partial

from daemon.journal import Journal
from daemon.log import log
from daemon.scanning import is_final
from daemon.sheet import Sheet
from daemon.stages import Stages
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage import racy, sidecar
from storage.attribute import Mark
from storage.faults import keeping
from storage.files import FileIdentity
from storage.holds import HoldBook, unheld_while
from storage.in_flight import marked
from storage.reading import Picture
from storage.records import Draft
from storage.replacement import Swap, Unfinished, stage, swap_in
from storage.root import Root, remove


class Replacing:
    """Replaces files of open roots, journalled in the ledger."""

    def __init__(self, stages: Stages, journal: Journal, roots: Mapping[str, Root], holds: HoldBook) -> None:
        self._stages = stages
        self._journal = journal
        self._roots = roots
        self._holds = holds

    def in_flight(self, sheet: Sheet) -> AbstractContextManager[None]:
        return marked(self._roots[sheet.candidate.tree.path], sheet.candidate.path)

    async def recognise(self, sheet: Sheet, picture: Picture) -> None:
        if picture.is_marked:
            raise Kept(Reason.ALREADY_SHRUNK)
        if reason := await self._journal.origin(picture.sha256):
            raise Kept(reason)
        place = sheet.candidate.place
        known = (await self._journal.known(place.root, [place.path])).get(place.path)
        if known and known.sha256_before == picture.sha256 and is_final(known, sheet.rules):
            raise Kept(known.reason, "the same content as before")
        await self._stages.disk(_check_unheld, self._holds, sheet, picture.data)

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        draft = sheet.kept(kept)
        await self._journal.record(draft)
        return draft

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        root = self._roots[sheet.candidate.tree.path]
        mark = Mark(sheet.sha256 or b"", hashlib.sha256(written.data).digest(), secrets.token_hex(16))
        swap = Swap(sheet.candidate.path, sheet.identity, mark)
        draft = sheet.replaced(written, mark)
        await self._stages.bandwidth.spend(len(written.data))
        with sheet.timing("write"):
            await self._stages.disk(_stage, root, swap, written.data, draft)
        draft = changed(draft, timings=sheet.timings)
        decision = await self._journal.plan(draft)
        try:
            unheld = partial(_check_unheld, self._holds, sheet, written.data)
            identity = await self._stages.disk(_swap_in, root, swap, unheld)
        except Kept as kept:
            await self._journal.abandon(decision, kept)
            return sheet.kept(kept)
        except Unfinished as unfinished:
            log.error("replacement_unfinished", path=swap.path, error=str(unfinished), outcome="the next start repairs")
            return sheet.kept(Kept(Reason.ERROR, str(unfinished)))
        await self._journal.confirm(decision, identity)
        return draft


def _stage(root: Root, swap: Swap, variant: bytes, draft: Draft) -> None:
    """The sidecar and the variant, whose folder is fsynced once for both. Raises Kept; then nothing is left behind."""
    with keeping():
        sidecar.stage(root, draft)
    with _without_sidecar(root, swap):
        stage(root, swap, variant)


def _swap_in(root: Root, swap: Swap, check_unheld: Callable[[], None]) -> FileIdentity:
    with _without_sidecar(root, swap), ExitStack() as opened:
        try:
            with keeping():
                opened.enter_context(unheld_while(root))
            check_unheld()
        except Kept:
            remove(root.staged, swap.mark.entry)
            raise
        return swap_in(root, swap) if root.exchanges else racy.swap_in(root, swap)


def _check_unheld(holds: HoldBook, sheet: Sheet, data: bytes) -> None:
    """`data`: the picture or a variant of it. Raises Kept."""
    if hold := holds.over_picture(sheet.candidate.place, sheet.identity.mtime_ns, data):
        raise Kept(Reason.HELD, f"hold {hold.number}")


@contextmanager
def _without_sidecar(root: Root, swap: Swap) -> Iterator[None]:
    """Where the replacement does not happen, its sidecar goes."""
    try:
        yield
    except Kept:
        sidecar.drop(root.staged, swap.mark.entry)
        raise
