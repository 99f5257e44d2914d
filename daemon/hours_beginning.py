"""When working hours begin, all that came outside them is looked for: a rescan finds it."""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Final

from daemon.config.hours import WorkingHours
from daemon.log import log

_SECONDS: Final = 5
"""How late the beginning may be noticed. The wall clock is asked each time, since it may be set."""


def _now() -> datetime:
    return datetime.now(UTC)


async def when_hours_begin(
    hours: Collection[WorkingHours],
    rescan: Callable[[], None],
    clock: Callable[[], datetime] = _now,
    seconds: float = _SECONDS,
) -> None:
    """Calls `rescan` each time that some hours begin, until it is cancelled."""
    limited = [one for one in hours if not one.are_all_day]
    were = _holding(limited, clock())
    while limited:
        await asyncio.sleep(seconds)
        are = _holding(limited, clock())
        if are - were:
            log.info("hours_began")
            rescan()
        if were - are:
            log.info("hours_ended", outcome="what is in flight is finished")
        were = are


def _holding(hours: Collection[WorkingHours], now: datetime) -> frozenset[WorkingHours]:
    return frozenset(one for one in hours if one.hold(now))
