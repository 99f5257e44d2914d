"""Acting in a dry run: nothing is changed, and nothing is recorded."""

import hashlib
from collections.abc import Sequence

from daemon.sheet import Sheet
from framekeep.reasons import Kept, Reason
from framekeep.variants import Written
from storage.attribute import Mark
from storage.reading import Picture
from storage.records import Draft, Known


class Rehearsing:
    """Says what would be decided."""

    async def recognise(self, _sheet: Sheet, picture: Picture) -> None:
        if picture.is_marked:
            raise Kept(Reason.ALREADY_SHRUNK)

    async def replace(self, sheet: Sheet, written: Written) -> Draft:
        return sheet.replaced(written, Mark(sheet.sha256 or b"", hashlib.sha256(written.data).digest(), ""))

    async def keep(self, sheet: Sheet, kept: Kept) -> Draft:
        return sheet.kept(kept)


async def nothing_known(_root: str, _paths: Sequence[str]) -> dict[str, Known]:
    """A dry run looks at every picture: it does not need a ledger."""
    return {}
