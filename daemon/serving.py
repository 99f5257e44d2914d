"""Serving: one pipeline, and around it the watcher, rescans, releases, the live state and systemd's watchdog."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from daemon.breaking import Breaking, Guarded, open_breaking
from daemon.chores import keep_doing
from daemon.following import follow_deletes, orphans
from daemon.habits import habits_of
from daemon.hours_beginning import when_hours_begin
from daemon.house import House
from daemon.journal import Journal
from daemon.log import log, log_decision
from daemon.notify import Notifier
from daemon.pipeline import Pipeline, first_of
from daemon.pressure import Pressure
from daemon.releasing import release_due
from daemon.replacing import Replacing
from daemon.reporting import Alarms, Counted, Reporter
from daemon.scanning import Scan
from daemon.settling import Settling
from daemon.sheet import Sheet
from daemon.sources import Watched
from daemon.space import with_room
from daemon.stages import Stages
from daemon.suspects import try_suspects
from daemon.sweep import stages_of
from daemon.watch import Hearing, Watcher
from framekeep.errors import FramekeepError
from storage.records import Draft, Place

_RELEASE_MINUTES: Final = 60
_BACKLOG: Final = 1000
"""While more pictures wait, a rescan does, so that one that has just arrived is not behind all of an archive."""
_RESUMPTION_SECONDS: Final = 5
"""How soon a resumption by another process is noticed."""


async def serve(house: House, stop: asyncio.Event, reopen: asyncio.Event, notifier: Notifier, counted: Counted) -> None:
    """Serves until `stop` is set, and then until what is in flight is done. Raises FramekeepError.

    Adds each decision to `counted`, and sets `reopen` where a root's path leads to another folder than is open.
    """
    journal = Journal(house.writer, house.ledger)
    scan = Scan(house.names, house.rules, journal.known, lambda _size: None)
    watched = Watched(Settling(house.config.watch.settle_seconds, list(house.roots.values())), scan.not_done)
    rescan, release, head, follow = (asyncio.Event() for _ in range(4))
    watcher = _watcher(house, watched, rescan)
    breaking = open_breaking(house, journal)
    low: dict[str, str] = {}
    reporter = Reporter(house, watched, watcher, Alarms(breaking.breaker, low), counted)
    with (
        stages_of(house.config) as stages,
        reporter.live(),
        _scheduled(house, rescan, release, (head, follow)),
    ):
        replacing = with_room(Replacing(stages, journal, house.roots, house.holds), house, journal)
        acting = Guarded(replacing, breaking)
        pipeline = Pipeline(
            stages, acting, house.rules, _decided(watched, counted), habits_of(house.config, house.reader)
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                watchdog = tasks.create_task(_watchdog(stages, journal, notifier))
                await asyncio.to_thread(try_suspects, house)
                await asyncio.to_thread(watcher.start)
                notifier.tell(READY=1, STATUS=reporter.sentence())
                log.info("serving", roots=list(house.roots), model=house.model.name, device=house.model.device)
                others = [
                    watchdog,
                    tasks.create_task(when_hours_begin(house.rules.hours, rescan.set)),
                    tasks.create_task(_rescans(house, scan, watched, watcher, (rescan, reopen))),
                    tasks.create_task(_releases(house, journal, release)),
                    tasks.create_task(_heads(house, head)),
                    tasks.create_task(_follows(house, journal, follow)),
                    tasks.create_task(_resumptions(breaking, rescan)),
                    tasks.create_task(keep_doing(house, journal)),
                    tasks.create_task(reporter.keep_writing(notifier)),
                    tasks.create_task(_stop_when(stop, watched, stages, notifier)),
                ]
                relieving = tasks.create_task(Pressure(house, journal, pipeline, stop, low).keep_relieving())
                await pipeline.run(watched.candidates())
                await relieving
                for task in others:
                    task.cancel()
        except* FramekeepError as errors:
            raise first_of(errors) from None
        finally:
            await asyncio.to_thread(watcher.stop)


def _watcher(house: House, watched: Watched, rescan: asyncio.Event) -> Watcher:
    """A watcher that delivers into this event loop."""
    loop = asyncio.get_running_loop()

    def deliver(root: str, path: str) -> None:
        loop.call_soon_threadsafe(watched.heard, Place(root, path))

    def overflowed() -> None:
        loop.call_soon_threadsafe(rescan.set)

    return Watcher(list(house.roots), Hearing(house.names, deliver, overflowed))


def _decided(watched: Watched, counted: Counted) -> Callable[[Sheet, Draft], None]:
    def decided(sheet: Sheet, draft: Draft) -> None:
        counted.add(draft)
        log_decision(sheet, draft)
        watched.decided(sheet.candidate)

    return decided


@contextmanager
def _scheduled(
    house: House, rescan: asyncio.Event, release: asyncio.Event, daily: Sequence[asyncio.Event]
) -> Iterator[None]:
    """Sets the events at their times, and all at once at the start."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_job(_set, "interval", args=[rescan], minutes=house.config.watch.rescan_minutes)
    scheduler.add_job(_set, "interval", args=[release], minutes=_RELEASE_MINUTES)
    for event in daily:
        scheduler.add_job(_set, "interval", args=[event], days=1)
    scheduler.start()
    for event in (rescan, release, *daily):
        event.set()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _set(event: asyncio.Event) -> None:
    event.set()


async def _rescans(
    house: House, scan: Scan, watched: Watched, watcher: Watcher, events: tuple[asyncio.Event, asyncio.Event]
) -> None:
    """Finds what came while nobody watched: the first time before the start, later what the watcher missed."""
    wanted, reopen = events
    first = True
    while True:
        await wanted.wait()
        wanted.clear()
        there = [root for root in house.roots.values() if root.is_at_its_path()]
        if len(there) < len(house.roots):
            log.warning("root_moved", outcome="roots are opened anew")
            reopen.set()
        await asyncio.to_thread(watcher.rearm)
        for root in there:
            async for candidate in scan.below(root):
                while len(watched) > _BACKLOG:  # noqa: ASYNC110 - nothing waits for it to the second
                    await asyncio.sleep(1)
                watched.found(candidate, missed=candidate.missed and not first)
        first = False


async def _releases(house: House, journal: Journal, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        released = await journal.using(lambda writer: release_due(writer, house.vaults, datetime.now(UTC)))
        if released.originals:
            log.info("released", originals=released.originals, bytes=released.bytes)


async def _follows(house: House, journal: Journal, wanted: asyncio.Event) -> None:
    """What people have deleted does not stay in the vault."""
    while house.config.vault.follow_deletes:
        await wanted.wait()
        wanted.clear()
        await _follow(house, journal)


async def _follow(house: House, journal: Journal) -> None:
    found = await asyncio.to_thread(orphans, house.reader, house.roots)
    followed = await journal.using(lambda writer: follow_deletes(writer, house.vaults, found, datetime.now(UTC)))
    if followed.originals:
        log.info("followed_deletes", originals=followed.originals, bytes=followed.bytes)


async def _heads(house: House, wanted: asyncio.Event) -> None:
    """Tells the log, which is kept elsewhere, what proves later that the ledger's events are all there."""
    while True:
        await wanted.wait()
        wanted.clear()
        end = await asyncio.to_thread(house.reader.head)
        log.info("ledger_head", number=end.event, digest=end.digest.hex())


async def _resumptions(breaking: Breaking, rescan: asyncio.Event) -> None:
    """What the breaker stopped is looked at again as soon as a person has resumed it."""
    while True:
        await asyncio.sleep(_RESUMPTION_SECONDS)
        if await breaking.refresh():
            rescan.set()


async def _watchdog(stages: Stages, journal: Journal, notifier: Notifier) -> None:
    """Sends a token through every stage: an idle daemon lives, one with a stuck stage is restarted by systemd."""
    if notifier.watchdog_seconds is None:
        return
    while True:
        await stages.pulse()
        await journal.using(lambda _writer: None)
        notifier.tell(WATCHDOG=1)
        await asyncio.sleep(notifier.watchdog_seconds / 3)


async def _stop_when(stop: asyncio.Event, watched: Watched, stages: Stages, notifier: Notifier) -> None:
    await stop.wait()
    notifier.tell(STATUS="finishing what is in flight")
    watched.stop()
    stages.bandwidth.lift()
