"""Following deletions: when somebody deletes a picture, its original in the vault goes too.

Retention laws and privacy ask for that. A picture that was only moved is known by framekeep's mark on the variant or,
where a copy lost that, by its content. Where something could not be looked at, it may be there: nothing is deleted.
"""

import stat
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from daemon.log import log
from daemon.names import NameFilter
from daemon.releasing import Grounds, Released, Vaults, delete
from daemon.walk import PassedOver, pass_over, walk
from storage.attribute import Mark
from storage.files import inode_at
from storage.ledger.answers import Held
from storage.ledger.reader import Reader
from storage.ledger.writer import Writer
from storage.reading import trace_at
from storage.records import VaultEntry
from storage.root import Tree

_EVERYTHING: Final = NameFilter(include=("*",), ignore=("lost+found/",))
_WALKS: Final = 2
"""A picture that is moved meanwhile, from a folder ahead of the first to one behind it, is found by the second."""


class _Unknown(Exception):  # noqa: N818 - not an error: where pictures are cannot be told now
    """Why nobody knows whether pictures were deleted or moved."""


def orphans(reader: Reader, roots: Mapping[str, Tree]) -> list[VaultEntry]:
    """The held originals whose picture is nowhere below these roots any more. Walks them where some seem to be so.

    `roots`: all that are configured. None is told, but for the log, where a picture may be where nobody can look.
    Raises LedgerError.
    """
    gone = [
        held for held in reader.held(Held(roots=tuple(roots), every=True)) if _is_gone(roots[held.place.root], held)
    ]
    try:
        for _ in range(_WALKS):
            gone = _nowhere(roots.values(), gone) if gone else []
    except _Unknown as unknown:
        _tell(unknown)
        return []
    return gone


def follow_deletes(writer: Writer, vaults: Vaults, found: Sequence[VaultEntry], now: datetime) -> Released:
    """Deletes the originals of pictures that were deleted and are so still, but what is held. Raises LedgerError."""
    if not found:
        return Released()
    try:
        _check_there(vaults.roots.values())
    except _Unknown as unknown:
        _tell(unknown)
        return Released()
    return delete(writer, vaults, found, now, _FOLLOWING)


def _tell(unknown: _Unknown) -> None:
    log.warning("deletes_not_followed", why=f"{unknown}, and pictures may have been moved there")


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


def _check_there(roots: Collection[Tree]) -> None:
    """Raises _Unknown unless each root is the folder that it was; one without a vault may be an empty mount point."""
    for root in roots:
        try:
            with root.vault_to_read():
                is_there = root.is_at_its_path()
        except OSError:
            is_there = False
        if not is_there:
            raise _Unknown(f"{root.path} is not the folder that it was, or its vault cannot be entered")


def _nowhere(roots: Collection[Tree], gone: Sequence[VaultEntry]) -> list[VaultEntry]:
    """Those whose entry no file's mark names, and whose variant no file without a mark is. Raises _Unknown."""
    _check_there(roots)
    sizes = {held.bytes_after for held in gone}
    wanted = {held.entry for held in gone} | {held.sha256_after for held in gone}
    passed_over: Counter[PassedOver] = Counter()
    seen = {trace for root in roots for trace in _traces(root, sizes, passed_over) if trace in wanted}
    _check_there(roots)  # a walk of what was unmounted meanwhile finds nothing
    if passed_over[PassedOver.UNREADABLE]:
        raise _Unknown("some folder or file cannot be read")
    if passed_over[PassedOver.OTHER_FILESYSTEM]:
        raise _Unknown("another filesystem is mounted below a root")
    return [held for held in gone if seen.isdisjoint((held.entry, held.sha256_after))]


def _traces(root: Tree, sizes: Collection[int], passed_over: Counter[PassedOver]) -> Iterator[str | bytes]:
    """The entries that marks name, and the hashes of files without a mark that have one of these sizes."""
    for files in walk(root.path, _EVERYTHING, passed_over=passed_over):
        for file in files:
            if not stat.S_ISREG(file.status.st_mode):
                continue
            try:
                trace = trace_at(root, file.path, sizes)
            except OSError as error:
                pass_over(root.path, file.path, error, passed_over)
                continue
            if trace is not None:
                yield trace.entry if isinstance(trace, Mark) else trace
