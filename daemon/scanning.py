"""A scan: every picture below a path that the ledger does not know to be done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from daemon.candidates import Candidate
from daemon.names import NameFilter
from daemon.rules import RuleBook
from daemon.walk import Found, walk
from framekeep.reasons import Reason, Standing
from storage.files import FileIdentity
from storage.records import Known
from storage.root import Tree

T = TypeVar("T")

_LEFT_ALONE = (Reason.ALREADY_SHRUNK, Reason.RESTORED)


@dataclass(frozen=True, slots=True)
class Scan:
    """`known` asks the ledger about paths of a root; `done` is told the size of each picture that is passed over."""

    names: NameFilter
    rules: RuleBook
    known: Callable[[str, Sequence[str]], Awaitable[dict[str, Known]]]
    done: Callable[[int], None]

    async def below(self, tree: Tree, path: str = "") -> AsyncIterator[Candidate]:
        """Candidates below a path of the tree ("" for all of it); holds one folder's list at a time."""
        async for found in _in_thread(walk(tree.path, self.names, path)):
            known = await self.known(tree.path, [file.path for file in found])
            for file in found:
                if candidate := self._candidate(tree, file, known.get(file.path)):
                    yield candidate

    def _candidate(self, tree: Tree, file: Found, known: Known | None) -> Candidate | None:
        identity = FileIdentity.of(file.status)
        if known is None or known.identity != identity:
            return Candidate(tree, file.path, identity, missed=True)
        if is_done(known, self.rules.for_path(file.path).settings.fingerprint):
            self.done(identity.size)
            return None
        return Candidate(tree, file.path, identity)


def is_done(known: Known, fingerprint: str) -> bool:
    """Whether a file that has not changed since needs no look: decided for good, or under the same settings."""
    if known.reason.standing is Standing.REPLACED or known.reason in _LEFT_ALONE:
        return True
    return known.reason.standing is Standing.FINAL and known.fingerprint == fingerprint


async def _in_thread(items: Iterator[T]) -> AsyncIterator[T]:
    """Advances an iterator that waits for a disk in a thread."""
    while (item := await asyncio.to_thread(next, items, None)) is not None:
        yield item
