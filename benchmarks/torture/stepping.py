"""A pass over the roots in which somebody may act before and after each step that touches a disk.

Everything is the real pipeline's, but files do not wait until they have settled: they are taken as young as they are.
"""

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

from daemon.house import House
from daemon.journal import Journal
from daemon.pipeline import Pipeline
from daemon.replacing import Replacing
from daemon.scanning import Scan
from daemon.stages import Stages
from daemon.tally import Tally

P = ParamSpec("P")
R = TypeVar("R")


class Listener(Protocol):
    """Hears, in the thread that does the work, what is about to be done and what has been done."""

    def before(self, step: str, arguments: tuple[Any, ...]) -> None:
        """`step` is the name of the function: read, stage or swap_in; these are its arguments."""

    def after(self, step: str, arguments: tuple[Any, ...]) -> None: ...


class Stepping(Stages):
    """Real stages, with a listener."""

    def __init__(self, house: House, listener: Listener) -> None:
        limits, batch = house.config.limits, house.config.selection.batch
        super().__init__(house.model, batch, int(limits.in_flight_megapixels * 10**6), limits.max_seconds)
        self._listener = listener

    async def disk(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        def stepped() -> R:
            self._listener.before(work.__name__, args)
            result = work(*args, **kwargs)
            self._listener.after(work.__name__, args)
            return result

        return await super().disk(stepped)


def passed(house: House, listener: Listener) -> Tally:
    """Takes every picture that needs a look to its decision, once."""
    tally = Tally()
    asyncio.run(_pass(house, listener, tally))
    return tally


async def _pass(house: House, listener: Listener, tally: Tally) -> None:
    with Stepping(house, listener) as stages:
        journal = Journal(house.writer, house.ledger)
        scan = Scan(house.names, house.rules, journal.known, tally.skip)
        acting = Replacing(stages, journal, house.roots)
        pipeline = Pipeline(stages, acting, house.rules, lambda _sheet, draft: tally.add(draft))
        for root in house.roots.values():
            await pipeline.run(scan.below(root))
