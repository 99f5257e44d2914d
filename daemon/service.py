"""The daemon's lifecycle: start, serve, reload on SIGHUP, end on SIGTERM when what is in flight is done."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.house import House, open_root, opened
from daemon.known_model import facts_of, refuse_another
from daemon.log import configure, log
from daemon.lost_ledger import refuse_new_ledger
from daemon.models import check_objects, detector_choice, model_choice, open_record
from daemon.niceness import be_nice
from daemon.notify import Notifier
from daemon.reporting import Counted
from daemon.rules import RuleBook
from daemon.serving import serve
from framekeep.errors import FramekeepError
from framekeep.keepers.naming import compares_labels, compares_objects
from framekeep.models.base import Model
from framekeep.models.both import parts_of
from framekeep.models.detectors.weights import find_file
from framekeep.models.names import read_class_names, read_names
from framekeep.models.weights import find_weights
from storage.ledger.opening import open_reader, open_writer
from storage.root import Root


@dataclass(frozen=True, slots=True)
class Fresh:
    """A configuration that was read anew and found good, with its model."""

    config: Config
    model: Model
    taken: Sequence[Root]
    """Those of its roots that the house before has not, open and locked."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What was asked for from outside."""

    end: asyncio.Event
    hangup: asyncio.Event

    @classmethod
    def heard(cls) -> "Signals":
        """Heard as long as the loop lives: by default, a signal between two servings would end the process."""
        signals, loop = cls(asyncio.Event(), asyncio.Event()), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, signals.end.set)
        loop.add_signal_handler(signal.SIGHUP, signals.hangup.set)
        return signals


def run(load: Callable[[], Config], environ: Mapping[str, str], *, accept_model: bool = False) -> None:
    """Serves until SIGTERM or SIGINT. Raises FramekeepError; a bad configuration at a reload is only logged.

    `accept_model`: at this start the model may be another than its name meant before.
    """
    asyncio.run(_run(load, Notifier(environ), accept_model=accept_model))


async def _run(load: Callable[[], Config], notifier: Notifier, *, accept_model: bool) -> None:
    signals, counted = Signals.heard(), Counted()
    config, model = load(), None
    be_nice(config.service.nice)  # before there are threads
    taken: Sequence[Root] = ()
    while True:
        configure(config.service.log_format, config.service.log_level)
        with opened(config, model, taken, accept_model=accept_model) as house:
            fresh = await _serve_until_reload(house, load, signals, notifier, counted)
        if fresh is None:
            return
        config, model, taken, accept_model = fresh.config, fresh.model, fresh.taken, False


async def _serve_until_reload(
    house: House, load: Callable[[], Config], signals: Signals, notifier: Notifier, counted: Counted
) -> Fresh | None:
    """Serves. Returns what to go on with after a reload; None at the end."""
    stop = asyncio.Event()
    reloading = asyncio.create_task(_reload(house, load, signals.hangup, notifier))
    ending = asyncio.create_task(_end(signals.end, notifier))
    for task in (reloading, ending):
        task.add_done_callback(lambda _: stop.set())
    try:
        await serve(house, stop, signals.hangup, notifier, counted)
    finally:
        reloading.cancel()
        ending.cancel()
    return reloading.result() if reloading.done() and not signals.end.is_set() else None


async def _end(end: asyncio.Event, notifier: Notifier) -> None:
    await end.wait()
    notifier.tell(STOPPING=1)
    log.info("stopping")


async def _reload(house: House, load: Callable[[], Config], hangup: asyncio.Event, notifier: Notifier) -> Fresh:
    """Waits for a SIGHUP (or a root that has moved) with a configuration that can be used."""
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            fresh = await asyncio.to_thread(read_anew, house, load)
        except FramekeepError as error:
            log.error("reload_failed", error=str(error), outcome="the old configuration stays")
            continue
        notifier.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
        log.info("reloading")
        return fresh


def read_anew(house: House, load: Callable[[], Config]) -> Fresh:
    """Tries all that a start with the new configuration needs. Raises FramekeepError, and then nothing stays open."""
    config, old = load(), house.config
    check_roots(config)
    refuse_new_ledger(config.ledger.url, config.watch.roots)
    with ExitStack() as held:
        taken = _take_roots(held, house, config)
        if config.ledger.url != old.ledger.url:
            open_writer(config.ledger.url).close()
        model = house.model
        if _model_part(config) != _model_part(old) or _is_outdated(model, config):
            model = _open_model(config)
        check_objects(config, model)
        RuleBook(config, model)  # which reads known labels
        be_nice(config.service.nice)
        held.pop_all()
    return Fresh(config, model, taken)


def _take_roots(held: ExitStack, house: House, config: Config) -> list[Root]:
    """Locks those whose folders the house does not hold, under whatever name; the others are only tried."""
    ours, taken = [os.fstat(root.descriptor) for root in house.roots.values()], []
    for path in config.watch.roots:  # also those that are open: perhaps they may be so no longer
        root = held.enter_context(open_root(str(path), config))
        if any(os.path.samestat(os.fstat(root.descriptor), folder) for folder in ours):
            root.close()
        else:
            root.lock()
            taken.append(root)
    return taken


def _open_model(config: Config) -> Model:
    model = open_record(config)
    with open_reader(config.ledger.url) as reader:
        for part in parts_of(model):
            refuse_another(reader.last_model(part.name), facts_of(part))
    return model


def _is_outdated(model: Model, config: Config) -> bool:
    """Whether a file that the configuration names is not what it was when the model was loaded."""
    parts = parts_of(model)
    loaded = {(part.name, part.digest) for part in parts} | {(part.name, tuple(part.class_names)) for part in parts}
    return not loaded.issuperset(_in_files(config))


def _in_files(config: Config) -> Iterator[tuple[str, object]]:
    """The digests of weights and the classes' names in the files that it names, by the models' names."""
    selection, detection = config.selection, config.detection
    if any(map(compares_labels, config.keepers)):
        if selection.weights:
            yield selection.model, find_weights(model_choice(selection)).digest
        if selection.class_names:
            yield selection.model, read_class_names(selection.class_names)
    if any(map(compares_objects, config.keepers)):
        if detection.weights:
            yield detection.model, find_file(detector_choice(detection)).digest
        if detection.labels:
            yield detection.model, read_names(detection.labels)


def _model_part(config: Config) -> tuple[object, ...]:
    """What the model of record depends on."""
    selection, detection = config.selection, config.detection
    return (
        *(any(map(compares, config.keepers)) for compares in (compares_labels, compares_objects)),
        *(selection.model, selection.weights, selection.weights_sha256, selection.class_names),
        *(selection.device, selection.batch),
        *(detection.model, detection.weights, detection.weights_sha256, detection.labels),
        *(detection.output, detection.input),
    )
