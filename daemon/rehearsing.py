"""Acting in a dry run: the ledger is asked, but nothing is changed and nothing is recorded."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from daemon.sheet import Sheet
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

    async def recognise(self, sheet: Sheet, picture: Picture) -> None:
        if picture.is_marked or (self._reader and self._reader.wrote(picture.sha256)):
            raise Kept(Reason.ALREADY_SHRUNK)
        if self._reader and self._reader.restored(picture.sha256):
            raise Kept(Reason.RESTORED)
        place, mtime_ns = sheet.candidate.place, sheet.identity.mtime_ns
        if self._holds and (hold := self._holds.over_picture(place, mtime_ns, picture.data)):
            raise Kept(Reason.HELD, f"hold {hold.number}")

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        return sheet.replaced(written, Mark(sheet.sha256 or b"", hashlib.sha256(written.data).digest(), ""))

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        return sheet.kept(kept)
