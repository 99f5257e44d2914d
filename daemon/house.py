"""What a process that replaces pictures holds open: roots with their locks, the ledger, the model."""

import errno
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Final

from daemon.config.roots import check_roots
from daemon.config.schema import Config, Selection
from daemon.known_model import facts_of, meet
from daemon.log import log
from daemon.names import NameFilter
from daemon.releasing import Vaults
from daemon.rules import RuleBook
from framekeep.errors import ConfigurationError, LedgerError, ModelUnavailableError
from framekeep.models.base import Model, timed_look
from framekeep.models.catalogue import ModelChoice
from storage.holds import HoldBook
from storage.ledger.opening import ledger_exists, open_reader, open_writer
from storage.ledger.reader import Reader
from storage.ledger.writer import Writer
from storage.recovery import recover
from storage.root import OWN, Root

_NO_EXCHANGE: Final = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


@dataclass(frozen=True, slots=True)
class House:
    """Open until the context that made it ends. The writer belongs to the one thread of `ledger`."""

    config: Config
    model: Model
    roots: dict[str, Root]
    writer: Writer
    ledger: ThreadPoolExecutor
    reader: Reader
    """Any thread's."""

    @property
    def names(self) -> NameFilter:
        return NameFilter(self.config.watch.include, self.config.watch.ignore)

    @property
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
        yield QuietHouse(config, model or open_model(config.selection), reader)


@contextmanager
def opened(config: Config, model: Model | None = None, *, accept_model: bool = False) -> Iterator[House]:
    """Locks and repairs before anything else; the model, which takes longest, comes last unless it is given.

    `accept_model`: a model that is not what its name meant before is taken from now on.

    Raises FramekeepError.
    """
    with ExitStack() as held:
        roots = {str(path): root for path, root in zip(config.watch.roots, _open_roots(held, config), strict=True)}
        ledger = held.enter_context(ThreadPoolExecutor(1, "ledger"))
        writer = ledger.submit(open_writer, config.ledger.url).result()
        held.callback(lambda: ledger.submit(writer.close).result())
        ledger.submit(_repair, writer, list(roots.values())).result()
        reader = held.enter_context(open_reader(config.ledger.url))
        model = model or open_model(config.selection)
        ledger.submit(meet, writer, facts_of(model), accept=accept_model).result()
        yield House(config, model, roots, writer, ledger, reader)


def open_model(selection: Selection) -> Model:
    """The configured model of record. Raises ModelUnavailableError."""
    from framekeep.models.classifier import open_classifier  # noqa: PLC0415 - torch takes seconds to import

    model = open_classifier(model_choice(selection), selection.device, selection.batch)
    try:
        timed_look(model, time.perf_counter)
    except (FloatingPointError, RuntimeError) as error:
        raise ModelUnavailableError(f"the model {selection.model} cannot look at a picture: {error}") from error
    return model


def model_choice(selection: Selection) -> ModelChoice:
    """What the configuration asks for, in the heart's words."""
    return ModelChoice(selection.model, selection.weights, selection.weights_sha256, selection.class_names)


def open_root(path: str) -> Root:
    """A root in which pictures can be replaced. Raises ConfigurationError where its filesystem cannot do that."""
    root = Root(path)
    try:
        root.probe()
    except OSError as error:
        root.close()
        if error.errno not in _NO_EXCHANGE:
            raise LedgerError(
                f"nothing can be written below {path}/{OWN}: {error.strerror}; correct that first"
            ) from error
        raise ConfigurationError(
            f"pictures below {path} cannot be replaced safely: its filesystem does not exchange two files in one step "
            f"({error.strerror}); watch a folder on ext4, xfs, btrfs or tmpfs"
        ) from error
    return root


def _open_roots(held: ExitStack, config: Config) -> Sequence[Root]:
    check_roots(config)
    roots = [held.enter_context(open_root(str(path))) for path in config.watch.roots]
    for root in roots:
        root.lock()
    return roots


def _repair(writer: Writer, roots: Sequence[Root]) -> None:
    try:
        recovered = recover(writer, roots)
    except OSError as error:
        raise LedgerError(
            f"what a crash interrupted cannot be repaired: {error}; correct that and start again"
        ) from error
    if any(asdict(recovered).values()):
        log.warning("repaired_after_crash", **asdict(recovered))
