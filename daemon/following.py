"""Following deletions: when somebody deletes a picture, its original in the vault goes too.

Retention laws and privacy ask for that. A picture that was only moved is known by framekeep's mark on the variant or,
where a copy lost that, by its content.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from daemon.log import log
from daemon.names import NameFilter
from daemon.releasing import Grounds, Released, Vaults, delete
from daemon.walk import PassedOver, walk
from storage.files import inode_at
from storage.ledger.answers import Held
from storage.ledger.reader import Reader
from storage.ledger.writer import Writer
from storage.reading import digest_at, mark_at
from storage.records import VaultEntry
from storage.root import Tree

_EVERYTHING: Final = NameFilter(include=("*",), ignore=("lost+found/",))


def orphans(reader: Reader, roots: Mapping[str, Tree]) -> list[VaultEntry]:
    """The held originals whose picture is nowhere below these roots any more. Walks them where some seem to be so.

    Raises LedgerError.
    """
    here = {path: root for path, root in roots.items() if root.is_at_its_path()}
    gone = [held for held in reader.held(Held(roots=tuple(here), every=True)) if _is_gone(here[held.place.root], held)]
    elsewhere = _elsewhere(here.values(), gone) if gone else set()
    if elsewhere is None:
        log.warning("deletes_not_followed", why="some folder cannot be read, and pictures may have been moved there")
        return []
    return [held for held in gone if held.entry not in elsewhere]


def follow_deletes(writer: Writer, vaults: Vaults, found: Sequence[VaultEntry], now: datetime) -> Released:
    """Deletes the originals of pictures that were deleted and are so still, but what is held. Raises LedgerError."""
    here = {path for path, root in vaults.roots.items() if root.is_at_its_path()}
    return delete(writer, vaults, [held for held in found if held.place.root in here], now, _FOLLOWING)


def _is_gone(root: Tree, held: VaultEntry) -> bool:
    """Whether nothing is at the path. What cannot be looked at is not gone."""
    try:
        with root.folder_of(held.place.path) as place:
            return inode_at(*place) is None
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


_FOLLOWING: Final = Grounds("its picture was deleted", _is_gone)


def _elsewhere(roots: Iterable[Tree], gone: Sequence[VaultEntry]) -> set[str] | None:
    """The entries that any file's mark names, and those whose variant a file without a mark is.

    None where some folder cannot be read, so that nobody knows.
    """
    sizes = {held.bytes_after for held in gone}
    entries: set[str] = set()
    contents: set[bytes | None] = set()
    passed_over: Counter[PassedOver] = Counter()
    for root in roots:
        for files in walk(root.path, _EVERYTHING, passed_over=passed_over):
            for file in files:
                if mark := mark_at(root, file.path):
                    entries.add(mark.entry)
                elif file.status.st_size in sizes:
                    contents.add(_content(root, file.path))
    if passed_over[PassedOver.UNREADABLE]:
        return None
    return entries | {held.entry for held in gone if held.sha256_after in contents}


def _content(root: Tree, path: str) -> bytes | None:
    try:
        with root.folder_of(path) as place:
            return digest_at(*place)
    except OSError:
        return None
