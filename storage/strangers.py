"""Files that nobody expected: they leave framekeep's own folders for `strangers/`, and are never deleted.

A later stage uses its entry's name again, so one of the same name may lie there already. The next one gets a number
behind its name, as ENTRY-2; nothing is ever replaced there.
"""

import os
from itertools import chain, count
from typing import Final

from storage import renameat2, sidecar
from storage.files import inode_at
from storage.root import Root

_NUMBER: Final = "-"


def set_aside(root: Root, folder: int, entry: str, told_in: int | None = None) -> None:
    """Moves it out of one of framekeep's open folders; its sidecar goes first, under the same name.

    `told_in`: the open folder where its sidecar lies, if that is another one. Raises OSError.
    """
    source = folder if told_in is None else told_in
    name = _free(root, entry, has_sidecar=inode_at(source, sidecar.name_of(entry)) is not None)
    sidecar.follow(source, entry, root.strangers, name)
    renameat2.take(folder, entry, root.strangers, name)
    os.fsync(root.strangers)


def is_named(name: str, entry: str) -> bool:
    """Whether what was set aside under this name may be that entry."""
    return name == entry or name.startswith(entry + _NUMBER)


def _free(root: Root, entry: str, *, has_sidecar: bool) -> str:
    """A sidecar that is alone there is its own one, if it has none any more: a crash came between the two moves."""

    def is_free(name: str) -> bool:
        needed = (name, sidecar.name_of(name)) if has_sidecar else (name,)
        return all(inode_at(root.strangers, one) is None for one in needed)

    return next(filter(is_free, chain((entry,), (f"{entry}{_NUMBER}{number}" for number in count(2)))))
