"""Adding a legal hold, and telling what becomes of the pictures that it covers. Works beside a running daemon."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from daemon.config.schema import Config
from framekeep.errors import UsageError
from storage.holds import check_claim, covers, times_at, times_of_original, wait_for_swaps
from storage.ledger.answers import Held
from storage.ledger.concerned import Delivered
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.reader import Reader
from storage.records import Claim, Hold, Place, VaultEntry
from storage.root import Root, Tree
from storage.time_rules import TimeRules
from storage.times import times_of

_PATIENCE_SECONDS: Final = 5.0
"""How long to wait for the ledger to know of swaps that are done."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a hold covers, of what the ledger knows of."""

    untouched: int
    restorable: list[VaultEntry]
    released: int
    """Their originals were deleted before: nothing brings them back."""


def add_hold(config: Config, claim: Claim) -> Hold:
    """Returns when no swap or release that it covers is under way, and none will begin.

    Raises UsageError for a claim that makes no sense, LedgerError and ConfigurationError.
    """
    try:
        check_claim(claim)
    except ValueError as error:
        raise UsageError(str(error)) from None
    with ExitStack() as opened:
        roots = [opened.enter_context(Root(path)) for path in _roots(config, claim)]
        with open_writer(config.ledger.url) as writer:
            hold = writer.add_hold(claim)
        for root in roots:
            wait_for_swaps(root)
    return hold


def survey(config: Config, claim: Claim) -> Survey:
    """Reads the times of each picture that the hold may cover. Raises LedgerError and ConfigurationError."""
    rules, roots = config.holds.rules, tuple(_roots(config, claim))
    with open_reader(config.ledger.url) as reader, ExitStack() as opened:
        trees = {path: opened.enter_context(Tree(path)) for path in roots}
        _wait_for_confirmations(reader)
        held = [
            entry
            for entry in reader.held(Held(roots=roots, camera=claim.camera))
            if covers(claim, entry.place, _of_original(trees, entry, rules))
        ]
        return Survey(
            untouched=len(_covered(claim, reader.untouched(claim), trees, rules)),
            restorable=held,
            released=len(_covered(claim, reader.released(claim), trees, rules)),
        )


def covering(config: Config, reader: Reader, place: Place) -> list[Hold]:
    """Every hold, removed or not, that covers what is or was at this place."""
    rules = config.holds.rules
    with Tree(place.root) as tree:
        times = [*_at_path(tree, place, rules), *times_of(place.path, None, None, rules)]
        if held := reader.entry_of(place.root, place.path):
            times += _of_original({place.root: tree}, held, rules)
    return [hold for hold in reader.holds(removed=True) if covers(hold.claim, place, times)]


def _roots(config: Config, claim: Claim) -> list[str]:
    return [str(path) for path in config.watch.roots if claim.root in (None, str(path))]


def _wait_for_confirmations(reader: Reader) -> None:
    """A swap that is done becomes known a moment later. What a crash left is not waited for."""
    until = time.monotonic() + _PATIENCE_SECONDS
    awaited = {planned.decision for planned in reader.pending()}
    while awaited & {planned.decision for planned in reader.pending()} and time.monotonic() < until:
        time.sleep(0.05)


def _covered(claim: Claim, pictures: Iterable[Delivered], trees: dict[str, Tree], rules: TimeRules) -> set[Place]:
    return {
        picture.place
        for picture in pictures
        if picture.place.root in trees
        and covers(claim, picture.place, _of_picture(picture, trees[picture.place.root], rules))
    }


def _of_picture(picture: Delivered, tree: Tree, rules: TimeRules) -> Iterator[datetime]:
    yield from times_of(picture.place.path, picture.mtime_ns, None, rules)
    yield from _at_path(tree, picture.place, rules)


def _at_path(tree: Tree, place: Place, rules: TimeRules) -> list[datetime]:
    """No time where nothing can be read there."""
    try:
        with tree.folder_of(place.path) as where:
            return times_at(where, place.path, rules)
    except OSError:
        return []


def _of_original(trees: dict[str, Tree], entry: VaultEntry, rules: TimeRules) -> Iterator[datetime]:
    yield from times_of(entry.place.path, None, None, rules)
    with suppress(OSError):
        yield from times_of_original(trees[entry.place.root], entry, rules)
