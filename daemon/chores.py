"""Jobs that come round in days, at their own slow pace: the verification, and the drift check.

When each was last done is in the ledger, so that restarts do not put it off for ever.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from daemon.config.schema import Config
from daemon.drift import Looks, alarming, look_again, second_model
from daemon.findings import Verified
from daemon.house import House
from daemon.journal import Journal
from daemon.log import log
from daemon.pace import Pace
from daemon.rules import limits_of
from daemon.sweep import targets_of
from daemon.verifying import Scope, verify
from framekeep.errors import ConfigurationError, ModelUnavailableError
from storage.ledger.opening import open_reader
from storage.ledger.writer import Writer

_LOOK_SECONDS: Final = 600
"""How often it is looked whether anything is due."""
_JUDGED: Final = timedelta(days=30)
"""The time over which agreement with the second model is told."""


class _Ended(Exception):  # noqa: N818 - not an error: the daemon stops
    """Whoever works is to leave off."""


@dataclass(frozen=True, slots=True)
class Chore:
    """`work` runs in a thread of its own, reads only and calls `wait` between two pictures.

    What it returns is written by the ledger's own thread.
    """

    name: str
    days: float
    work: Callable[[Config, Callable[[float], None]], Callable[[Writer], None]]


async def keep_doing(house: House, journal: Journal) -> None:
    """Until it is cancelled. Raises LedgerError."""
    ended = threading.Event()

    def wait(seconds: float) -> None:
        if ended.wait(seconds):
            raise _Ended

    try:
        while True:
            for chore in chores_of(house.config):
                if await journal.using(partial(_is_due, chore, datetime.now(UTC))):
                    await _do(chore, house.config, journal, wait)
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        ended.set()


def chores_of(config: Config) -> list[Chore]:
    """Those that are not switched off."""
    chores = [Chore("verify", config.verify.days, verify_slowly)] if config.verify.days else []
    if config.drift.sample_per_day and config.drift.second_model != config.selection.model:
        chores.append(Chore("drift", 1, check_drift))
    return chores


def _is_due(chore: Chore, now: datetime, writer: Writer) -> bool:
    """A chore that was never done begins its time now."""
    done_at = writer.chore_done_at(chore.name)
    if done_at is None:
        writer.chore_done(chore.name)
        return False
    return now - done_at >= timedelta(days=chore.days)


async def _do(chore: Chore, config: Config, journal: Journal, wait: Callable[[float], None]) -> None:
    try:
        record = await asyncio.to_thread(chore.work, config, wait)
    except _Ended:
        return
    except ConfigurationError as error:  # a root is not there at present
        log.warning("chore_put_off", chore=chore.name, error=str(error))
        return
    await journal.using(record)
    await journal.using(lambda writer: writer.chore_done(chore.name))


def verify_slowly(config: Config, wait: Callable[[float], None]) -> Callable[[Writer], None]:
    """Verifies the configured share of all roots, and tells the log. Raises LedgerError, ConfigurationError."""
    wanted, verified = config.verify, Verified()
    pace = Pace(wanted.megabytes_per_second * 1e6)
    scope = Scope(
        targets_of(config, []),
        limits_of(config),
        wanted.sample_percent / 100,
        paced=lambda size: wait(pace.delay(size)),
    )
    with open_reader(config.ledger.url) as reader:
        for finding in verify(reader, scope, verified):
            kind = finding.kind
            if kind.is_damage:
                path, note = finding.place.path, finding.note
                log.error("damage_found", kind=kind.word, path=path, note=note, remedy=kind.remedy)
    facts: dict[str, Any] = {
        "examined": verified.examined,
        "bytes": verified.bytes_read,
        "damaged": verified.damaged,
        "findings": {kind.word: count for kind, count in verified.kinds.items()},
    }
    log.info("verified", **facts)
    return lambda writer: writer.note("verified", facts)


def check_drift(config: Config, wait: Callable[[float], None]) -> Callable[[Writer], None]:
    """Asks the second model about a day's sample, and tells the log. Raises LedgerError, ConfigurationError."""
    now = datetime.now(UTC)
    try:
        model = second_model(config)
    except ModelUnavailableError as error:
        log.warning("drift_unchecked", error=str(error))
        return lambda _writer: None
    with open_reader(config.ledger.url) as reader:
        looks = look_again(reader, config, model, now, lambda: wait(0))
    return lambda writer: _record(writer, looks, config.drift.alert_below, now)


def _record(writer: Writer, looks: Looks, alert_below: float, now: datetime) -> None:
    writer.second_look(list(looks.agrees.items()), looks.model)
    log.info("drift_checked", looked=len(looks.agrees), agreed=sum(looks.agrees.values()), model=looks.model)
    for camera, agreement in alarming(writer.agreements(now - _JUDGED), alert_below).items():
        share = round(agreement.share, 3)
        log.warning("drift_alert", camera=camera, agreement=share, looked=agreement.looked, model=looks.model)
