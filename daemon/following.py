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
from daemon.releasing import Released, Vaults, delete
from daemon.walk import PassedOver, walk
from storage.ledger.answers import Held
from storage.ledger.reader import Reader
from storage.ledger.writer import Writer
from storage.reading import digest_at, mark_at
from storage.records import Place, VaultEntry
from storage.root import Tree
from storage.vault import inode_at

_NOTE: Final = "its picture was deleted"
_EVERYTHING: Final = NameFilter(include=("*",), ignore=("lost+found/",))


def orphans(reader: Reader, roots: Mapping[str, Tree]) -> list[VaultEntry]:
    """The held originals whose picture is nowhere below these roots any more. Walks them where some seem to be so.

    Raises LedgerError.
    """
    here = {path: root for path, root in roots.items() if root.is_at_its_path()}
    gone = [held for held in reader.held(Held(roots=tuple(here), every=True)) if _is_gone(here[held.place.root], held)]
    marked = _marked(here.values()) if gone else set()
    if marked is None:
        log.warning("deletes_not_followed", why="some folder cannot be read, and pictures may have been moved there")
        return []
    left = [held for held in gone if held.entry not in marked]
    known = reader.places_of([held.sha256_after for held in left])
    return [held for held in left if not _stands(here, known.get(held.sha256_after, ()), held.sha256_after)]


def follow_deletes(writer: Writer, vaults: Vaults, found: Sequence[VaultEntry], now: datetime) -> Released:
    """Deletes the originals of pictures that were deleted and are so still, but what is held. Raises LedgerError."""
    here = {path: root for path, root in vaults.roots.items() if root.is_at_its_path()}
    gone = [held for held in found if held.place.root in here and _is_gone(here[held.place.root], held)]
    return delete(writer, vaults, gone, now, _NOTE)


def _is_gone(root: Tree, held: VaultEntry) -> bool:
    """Whether nothing is at the path. What cannot be looked at is not gone."""
    try:
        with root.folder_of(held.place.path) as place:
            return inode_at(*place) is None
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def _marked(roots: Iterable[Tree]) -> set[str] | None:
    """The entries that any file's mark names; None where some folder cannot be read, so that nobody knows."""
    marked: set[str] = set()
    passed_over: Counter[PassedOver] = Counter()
    for root in roots:
        for files in walk(root.path, _EVERYTHING, passed_over=passed_over):
            marked |= {mark.entry for file in files if (mark := mark_at(root, file.path))}
    return None if passed_over[PassedOver.UNREADABLE] else marked


def _stands(roots: Mapping[str, Tree], places: Iterable[Place], sha256: bytes) -> bool:
    """Whether a file with this content is at one of these places."""
    return any(place.root in roots and _holds(roots[place.root], place, sha256) for place in places)


def _holds(root: Tree, place: Place, sha256: bytes) -> bool:
    try:
        with root.folder_of(place.path) as where:
            return digest_at(*where) == sha256
    except OSError:
        return False
