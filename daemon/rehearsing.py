"""Acting in a dry run: the ledger is asked, but nothing is changed and nothing is recorded."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from daemon.scanning import is_behind
from daemon.sheet import Sheet
from daemon.succeeding import check_smaller, source_of, start_from
from daemon.swapping import check_unheld
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage.attribute import Mark
from storage.holds import HoldBook
from storage.ledger.reader import Reader
from storage.reading import Picture
from storage.records import Draft, Known


class Rehearsing:
    """Says what would be decided. Without a ledger (None) nothing is known of any picture."""

    def __init__(self, reader: Reader | None, holds: HoldBook | None) -> None:
        self._reader = reader
        self._holds = holds

    async def known(self, root: str, paths: Sequence[str]) -> dict[str, Known]:
        """What the ledger last knew of each path."""
        return self._reader.known(root, paths) if self._reader else {}

    def in_flight(self, _sheet: Sheet) -> AbstractContextManager[None]:
        return nullcontext()

    async def recognise(self, sheet: Sheet, picture: Picture) -> bytes:
        data = picture.data
        if picture.is_marked or (self._reader and self._reader.wrote(picture.sha256)):
            data = self._original(sheet, picture)
        elif self._reader and self._reader.restored(picture.sha256):
            raise Kept(Reason.RESTORED)
        if self._holds:
            check_unheld(self._holds, sheet, picture.data)
        return data

    def _original(self, sheet: Sheet, picture: Picture) -> bytes:
        """That of a picture that has reached a later stage; raises Kept where there is nothing to do."""
        place = sheet.candidate.place
        known = self._reader.known(place.root, [place.path]).get(place.path) if self._reader else None
        if self._reader is None or known is None or not is_behind(known, sheet.rules):
            raise Kept(Reason.ALREADY_SHRUNK)
        lineage = self._reader.lineage(place.root, place.path, picture.sha256)
        source, data = source_of(sheet.candidate.tree, lineage, picture, sheet.rules)
        start_from(sheet, known.decision, source)
        return data

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        if sheet.stands and sheet.stands.source:
            check_smaller(sheet.stands.source, written, sheet.rules.min_saving)
        return sheet.replaced(written, Mark(sheet.sha256 or b"", hashlib.sha256(written.data).digest(), ""))

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        return sheet.kept(kept)
