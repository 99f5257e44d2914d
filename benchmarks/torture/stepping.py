"""A pass over the roots in which somebody may act before and after each step that touches a disk.

Everything is the real pipeline's, but files do not wait until they have settled: they are taken as young as they are.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from daemon.house import House
from daemon.journal import Journal
from daemon.pipeline import Pipeline
from daemon.replacing import Replacing
from daemon.scanning import Scan
from daemon.stages import Stages
from daemon.tally import Tally

P = ParamSpec("P")
R = TypeVar("R")

STEPS: Final = ("read", "stage", "swap_in")


@dataclass(frozen=True, slots=True)
class Step:
    """One of the steps of a picture's life that touch a disk: "read", "stage" or "swap_in"."""

    name: str
    path: str
    arguments: tuple[Any, ...]
    """Of the function that takes this step; a root comes first."""

    @classmethod
    def of(cls, work: Callable[..., object], arguments: tuple[Any, ...]) -> "Step | None":
        name = work.__name__.strip("_")
        if name not in STEPS:
            return None
        what = arguments[1]
        return cls(name, what if isinstance(what, str) else what.path, arguments)


class Listener(Protocol):
    """Hears, in the thread that does the work, what is about to be done and what has been done."""

    def before(self, step: Step) -> None: ...

    def after(self, step: Step) -> None: ...


class Nobody:
    """Nobody acts while framekeep works."""

    def before(self, step: Step) -> None: ...

    def after(self, step: Step) -> None: ...


class Stepping(Stages):
    """Real stages, with a listener."""

    def __init__(self, house: House, listener: Listener) -> None:
        limits, batch = house.config.limits, house.config.selection.batch
        super().__init__(batch, int(limits.in_flight_megapixels * 10**6), limits.max_seconds)
        self._listener = listener

    async def disk(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        step = Step.of(work, args)
        if step is None:
            return await super().disk(work, *args, **kwargs)

        def stepped() -> R:
            self._listener.before(step)
            result = work(*args, **kwargs)
            self._listener.after(step)
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
        acting = Replacing(stages, journal, house.roots, house.holds)
        pipeline = Pipeline(stages, acting, house.rules, lambda _sheet, draft: tally.add(draft))
        for root in house.roots.values():
            await pipeline.run(scan.below(root))
