"""What a process that replaces pictures holds open: roots with their locks, the ledger, the model."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property

from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.known_model import facts_of, meet
from daemon.log import log
from daemon.lost_ledger import refuse_new_ledger
from daemon.models import open_record
from daemon.names import NameFilter
from daemon.releasing import Vaults, observe_clock
from daemon.rules import RuleBook
from framekeep.errors import ConfigurationError, LedgerError
from framekeep.models.base import Model
from framekeep.models.both import parts_of
from storage import renameat2
from storage.holds import HoldBook
from storage.ledger.opening import known_roots, ledger_exists, open_reader, open_writer
from storage.ledger.reader import Reader
from storage.ledger.writer import Writer
from storage.recovery import recover
from storage.root import OWN, Root


@dataclass(frozen=True)
class House:
    """Open until the context that made it ends. The writer belongs to the one thread of `ledger`."""

    config: Config
    model: Model
    roots: dict[str, Root]
    writer: Writer
    ledger: ThreadPoolExecutor
    reader: Reader
    """Any thread's."""

    @cached_property
    def names(self) -> NameFilter:
        return NameFilter(self.config.watch.include, self.config.watch.ignore)

    @cached_property
    def rules(self) -> RuleBook:
        return RuleBook(self.config, self.model)

    @property
    def holds(self) -> HoldBook:
        return HoldBook(self.reader, self.config.holds.rules)

    @property
    def vaults(self) -> Vaults:
        return Vaults(self.roots, self.holds)


@dataclass(frozen=True, slots=True)
class QuietHouse:
    """What a dry run holds open: nothing that could change anything."""

    config: Config
    model: Model
    reader: Reader | None

    @property
    def holds(self) -> HoldBook | None:
        return HoldBook(self.reader, self.config.holds.rules) if self.reader else None


@contextmanager
def opened_quietly(config: Config, model: Model | None = None) -> Iterator[QuietHouse]:
    """Runs at any time, also beside a daemon, and without a ledger. Raises FramekeepError."""
    check_roots(config)
    with ExitStack() as held:
        reader = held.enter_context(open_reader(config.ledger.url)) if ledger_exists(config.ledger.url) else None
        yield QuietHouse(config, model or open_record(config), reader)


@contextmanager
def opened(
    config: Config, model: Model | None = None, taken: Sequence[Root] = (), *, accept_model: bool = False
) -> Iterator[House]:
    """Locks and repairs before anything else; the model, which takes longest, comes last unless it is given.

    `taken`: roots that are open and locked already; the house closes them, too.
    `accept_model`: a model that is not what its name meant before is taken from now on.

    Raises FramekeepError.
    """
    with ExitStack() as held:
        roots = _open_roots(held, config, taken)
        ledger = held.enter_context(ThreadPoolExecutor(1, "ledger"))
        writer = ledger.submit(open_writer, config.ledger.url).result()
        held.callback(lambda: ledger.submit(writer.close).result())
        ledger.submit(observe_clock, writer).result()
        ledger.submit(writer.know_roots, list(roots)).result()
        ledger.submit(_repair, writer, list(roots.values())).result()
        reader = held.enter_context(open_reader(config.ledger.url))
        model = model or open_record(config)
        for part in parts_of(model):
            ledger.submit(meet, writer, facts_of(part), accept=accept_model).result()
        yield House(config, model, roots, writer, ledger, reader)


def open_root(path: str, config: Config) -> Root:
    """A root in which pictures can be replaced. Raises LedgerError.

    Raises ConfigurationError where its filesystem cannot do that or its vault, which the ledger knows of, is not there.
    """
    root = Root(path, known_roots(config.ledger.url))
    try:
        exchanges = root.exchanges
    except OSError as error:
        root.close()
        if error.errno not in renameat2.UNKNOWN:
            raise LedgerError(
                f"nothing can be written below {path}/{OWN}: {error.strerror}; correct that first"
            ) from error
        raise ConfigurationError(
            f"pictures below {path} cannot be replaced safely: its filesystem can neither exchange two files in one "
            f"step nor move one without replacing another ({error.strerror}); watch a folder on ext4, xfs, btrfs or "
            "tmpfs"
        ) from error
    if not exchanges and not config.watch.allow_racy_rename:
        root.close()
        raise ConfigurationError(
            f"pictures below {path} cannot be replaced safely: its filesystem does not exchange two files in one step; "
            "watch a folder on ext4, xfs, btrfs or tmpfs, or set [watch] allow_racy_rename = true and accept that for "
            "an instant no file stands at a picture's path"
        )
    return root


def _open_roots(held: ExitStack, config: Config, taken: Sequence[Root]) -> dict[str, Root]:
    """Every configured root by its path, open and locked; `held` closes them, those that were taken before included."""
    here = {root.path: held.enter_context(root) for root in taken}
    check_roots(config)
    refuse_new_ledger(config.ledger.url, config.watch.roots)
    roots = {path: here.get(path) or _locked(held, path, config) for path in map(str, config.watch.roots)}
    for root in roots.values():
        if not root.exchanges:
            if config.has_stages:
                raise ConfigurationError(
                    f"pictures below {root.path} cannot reach later stages: its filesystem does not exchange two files "
                    "in one step; give its pictures a policy with stages that begin at 0 days only"
                )
            log.warning("replaces_in_two_steps", root=root.path, why="its filesystem cannot exchange two files")
    return roots


def _locked(held: ExitStack, path: str, config: Config) -> Root:
    root = held.enter_context(open_root(path, config))
    root.lock()
    return root


def _repair(writer: Writer, roots: Sequence[Root]) -> None:
    try:
        recovered = recover(writer, roots)
    except OSError as error:
        raise LedgerError(
            f"what a crash interrupted cannot be repaired: {error}; correct that and start again"
        ) from error
    if any(asdict(recovered).values()):
        log.warning("repaired_after_crash", **asdict(recovered))
