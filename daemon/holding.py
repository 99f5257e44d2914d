"""Adding a legal hold, and finding those that cover a picture. Works beside a running daemon."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime

from daemon.config.schema import Config
from daemon.lost_ledger import refuse_new_ledger
from framekeep.errors import UsageError
from storage.holds import check_claim, covers, times_at, times_of_original, wait_for_swaps
from storage.ledger.opening import known_roots, open_writer
from storage.ledger.reader import Reader
from storage.records import Claim, Hold, Place, VaultEntry
from storage.root import Root, Tree
from storage.time_rules import TimeRules
from storage.times import times_of


def add_hold(config: Config, claim: Claim) -> Hold:
    """Returns when no swap or release that it covers is under way, and none will begin.

    Raises UsageError for a claim that makes no sense, LedgerError and ConfigurationError.
    """
    try:
        check_claim(claim)
    except ValueError as error:
        raise UsageError(str(error)) from None
    refuse_new_ledger(config.ledger.url, config.watch.roots)
    with ExitStack() as opened:
        known = known_roots(config.ledger.url)
        roots = [opened.enter_context(Root(path, known)) for path in roots_of(config, claim)]
        with open_writer(config.ledger.url) as writer:
            hold = writer.add_hold(claim)
        for root in roots:
            wait_for_swaps(root)
    return hold


def covering(config: Config, reader: Reader, place: Place) -> list[Hold]:
    """Every hold, removed or not, that covers what is or was at this place."""
    rules = config.holds.rules
    with Tree(place.root) as tree:
        times = [*at_path(tree, place, rules), *times_of(place.path, None, None, rules)]
        if held := reader.entry_of(place.root, place.path):
            times += of_original({place.root: tree}, held, rules)
    return [hold for hold in reader.holds(removed=True) if covers(hold.claim, place, times)]


def roots_of(config: Config, claim: Claim) -> list[str]:
    return [str(path) for path in config.watch.roots if claim.root in (None, str(path))]


def at_path(tree: Tree, place: Place, rules: TimeRules) -> list[datetime]:
    """No time where nothing can be read there."""
    try:
        with tree.folder_of(place.path) as where:
            return times_at(where, place.path, rules)
    except OSError:
        return []


def of_original(trees: dict[str, Tree], entry: VaultEntry, rules: TimeRules) -> Iterator[datetime]:
    yield from times_of(entry.place.path, None, None, rules)
    with suppress(OSError):
        yield from times_of_original(trees[entry.place.root], entry, rules)
