"""A scan: every picture below a path that the ledger does not know to be done."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from daemon.candidates import Candidate
from daemon.names import NameFilter
from daemon.rules import RuleBook, Rules
from daemon.walk import Found, PassedOver, walk
from framekeep.reasons import Reason, Standing
from storage.files import FileIdentity
from storage.records import Known
from storage.root import Tree

T = TypeVar("T")

Knowing = Callable[[str, Sequence[str]], Awaitable[dict[str, Known]]]
"""Asks what is known of some paths of a root."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Scan:
    """`known` asks the ledger; `done` is told the size of each picture that needs no look.

    Where `stopped`, it ends early. What it cannot enter is counted in `passed_over`. `waits` is told of each picture
    that its policy leaves alone at present, by `clock`: why, and its size.
    """

    names: NameFilter
    rules: RuleBook
    known: Knowing
    done: Callable[[int], None]
    stopped: Callable[[], bool] = lambda: False
    passed_over: Counter[PassedOver] = field(default_factory=Counter)
    waits: Callable[[Reason, int], None] = lambda _reason, _size: None
    clock: Callable[[], datetime] = _now

    async def below(self, tree: Tree, path: str = "") -> AsyncIterator[Candidate]:
        """Candidates below a path of the tree ("" for all of it); holds one folder's list at a time."""
        async for found in _in_thread(walk(tree.path, self.names, path, self.passed_over)):
            if self.stopped():
                return
            known = await self.known(tree.path, [file.path for file in found])
            for file in found:
                if candidate := self._candidate(tree, file, known.get(file.path)):
                    yield candidate

    async def not_done(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those of some candidates that need a look: framekeep's own replacements are events too."""
        left = []
        for tree in {candidate.tree for candidate in candidates}:
            here = [candidate for candidate in candidates if candidate.tree is tree]
            known = await self.known(tree.path, [candidate.path for candidate in here])
            left += [candidate for candidate in here if self._is_wanted(candidate, known.get(candidate.path))]
        return left

    def _candidate(self, tree: Tree, file: Found, known: Known | None) -> Candidate | None:
        identity, rules = FileIdentity.of(file.status), self.rules.for_path(file.path)
        if _needs_no_look(identity, known, rules):
            self.done(identity.size)
            return None
        if reason := rules.left_alone(self.clock()):
            self.waits(reason, identity.size)
            return None
        # What came outside the hours was not missed, and which did is not kept anywhere.
        missed = rules.hours.are_all_day and (known is None or known.identity != identity)
        return Candidate(tree, file.path, identity, missed=missed)

    def _is_wanted(self, candidate: Candidate, known: Known | None) -> bool:
        rules = self.rules.for_path(candidate.path)
        return not _needs_no_look(candidate.identity, known, rules) and rules.left_alone(self.clock()) is None


def _needs_no_look(identity: FileIdentity, known: Known | None, rules: Rules) -> bool:
    return (
        known is not None and known.identity == identity and is_done(known, rules.at(identity.mtime_ns, time.time_ns()))
    )


def is_done(known: Known, rules: Rules) -> bool:
    """Whether a file that has not changed since needs no look: decided for good, or under the same settings."""
    if known.reason is Reason.RESTORED:
        return True
    return not is_behind(known, rules) if is_shrunk(known) else is_final(known, rules)


def is_behind(known: Known, rules: Rules) -> bool:
    """Whether a picture that was shrunk has reached a later stage, which was not tried in vain."""
    if rules.settings.stage <= known.stage or not is_shrunk(known):
        return False
    return not rules.were_tried(known)


def is_shrunk(known: Known) -> bool:
    """Whether the last decision says that a variant stands there. Another one does not say that none does."""
    return known.reason.standing is Standing.REPLACED or known.reason is Reason.ALREADY_SHRUNK


def is_final(known: Known, rules: Rules) -> bool:
    """Whether a kept picture's reason still stands while its content is the same."""
    reason = known.reason
    return reason.standing is Standing.FINAL and known.fingerprint == rules.settings_for(reason).fingerprint


async def _in_thread(items: Iterator[T]) -> AsyncIterator[T]:
    """Advances an iterator that waits for a disk in a thread."""
    while (item := await asyncio.to_thread(next, items, None)) is not None:
        yield item
