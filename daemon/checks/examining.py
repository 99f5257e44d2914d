"""Everything that `framekeep doctor` looks at, in the order in which a start needs it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from daemon.checks.check import Check, State
from daemon.checks.drift import check_drift
from daemon.checks.ledger import check_ledger
from daemon.checks.machine import check_owners, check_squeezer, check_watches
from daemon.checks.model import check_models
from daemon.checks.policies import check_policies
from daemon.checks.roots import check_root, check_vault
from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.lost_ledger import roots_as_far_as_known
from daemon.names import NameFilter
from framekeep.errors import ConfigurationError


def examine(load: Callable[[], Config], clock: Callable[[], float]) -> Iterator[Check]:
    """Checks an installation; `clock` counts seconds. Where the configuration cannot be read, that is all there is."""
    try:
        config = load()
    except ConfigurationError as error:
        yield Check.failed("configuration", error)
        return
    yield _configuration(config)
    yield from check_policies(config)
    yield from check_models(config, clock)
    yield check_squeezer()
    yield check_drift(config)
    there = [root for root in config.watch.roots if root.is_dir() and not root.is_symlink()]
    yield check_ledger(config.ledger.url, there)
    yield from _roots(config, there)


def _configuration(config: Config) -> Check:
    selection = config.selection
    sentence = f"keeper {selection.keeper}, ladder {selection.ladder.name}, {len(config.policy)} policies"
    return Check("configuration", State.OK, sentence)


def _roots(config: Config, there: Sequence[Path]) -> Iterator[Check]:
    try:
        check_roots(config)
    except ConfigurationError as error:
        yield Check.failed("roots", error)
    watch, floor = config.watch, config.vault.floor_megabytes
    known = roots_as_far_as_known(config.ledger.url)
    for root in there:
        yield (vault := check_vault(root, known))
        if vault.state is State.OK:
            yield from check_root(root, watch.rescan_minutes, floor, allow_racy_rename=watch.allow_racy_rename)
    names = NameFilter(config.watch.include, config.watch.ignore)
    yield check_watches(there, names)
    yield check_owners(there, names)
