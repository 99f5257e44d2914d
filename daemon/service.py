"""The daemon's lifecycle: start, serve, reload on SIGHUP, end on SIGTERM when what is in flight is done."""

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.house import House, open_model, open_root, opened
from daemon.known_model import facts_of, refuse_another
from daemon.log import configure, log
from daemon.notify import Notifier
from daemon.serving import serve
from framekeep.errors import FramekeepError
from framekeep.models.base import Model
from storage.ledger.opening import open_reader, open_writer


@dataclass(frozen=True, slots=True)
class Fresh:
    """A configuration that was read anew and found good, with its model."""

    config: Config
    model: Model


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
    signals = Signals.heard()
    config, model = load(), None
    while True:
        configure(config.service.log_format, config.service.log_level)
        with opened(config, model, accept_model=accept_model) as house:
            fresh = await _serve_until_reload(house, load, signals, notifier)
        if fresh is None:
            return
        config, model, accept_model = fresh.config, fresh.model, False


async def _serve_until_reload(
    house: House, load: Callable[[], Config], signals: Signals, notifier: Notifier
) -> Fresh | None:
    """Serves. Returns what to go on with after a reload; None at the end."""
    stop = asyncio.Event()
    reloading = asyncio.create_task(_reload(house, load, signals.hangup, notifier))
    ending = asyncio.create_task(_end(signals.end, notifier))
    for task in (reloading, ending):
        task.add_done_callback(lambda _: stop.set())
    try:
        await serve(house, stop, signals.hangup, notifier)
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
            fresh = await asyncio.to_thread(_read_anew, house, load)
        except FramekeepError as error:
            log.error("reload_failed", error=str(error), outcome="the old configuration stays")
            continue
        notifier.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
        log.info("reloading")
        return fresh


def _read_anew(house: House, load: Callable[[], Config]) -> Fresh:
    """Tries all that a start with the new configuration needs and that is not open already. Raises FramekeepError."""
    config, old = load(), house.config
    check_roots(config)
    for path in set(config.watch.roots) - set(old.watch.roots):
        open_root(str(path)).close()
    if config.ledger.url != old.ledger.url:
        open_writer(config.ledger.url).close()
    if _model_part(config) == _model_part(old):
        return Fresh(config, house.model)
    model = open_model(config.selection)
    with open_reader(config.ledger.url) as reader:
        refuse_another(reader.last_model(model.name), facts_of(model))
    return Fresh(config, model)


def _model_part(config: Config) -> tuple[object, ...]:
    selection = config.selection
    return (
        selection.model,
        selection.weights,
        selection.weights_sha256,
        selection.class_names,
        selection.device,
        selection.batch,
    )
