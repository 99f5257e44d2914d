"""Many pictures in flight at once. A daemon and a sweep are this pipeline with two sources."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from daemon.candidates import Candidate
from daemon.habits import Habits
from daemon.life import Acting, live
from daemon.log import log
from daemon.rules import RuleBook
from daemon.sheet import Sheet
from daemon.stages import Stages
from framekeep.errors import FramekeepError, StuckError
from framekeep.jpeg.codec import encoder_versions
from framekeep.reasons import Kept, Reason
from storage.ledger.breakers import Outcome
from storage.names import printable
from storage.records import Draft

_IN_FLIGHT_PER_LOOK: Final = 3
"""Pictures in flight for each place in a batch of looks: while one is looked at, others climb or are written."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes candidates to their decisions, and tells `decided` of each."""

    stages: Stages
    acting: Acting
    rules: RuleBook
    decided: Callable[[Sheet, Draft], None]
    habits: Habits = field(default_factory=Habits)

    async def run(self, candidates: AsyncIterator[Candidate]) -> None:
        """Returns when the candidates end and all are decided.

        A failure with one picture is a decision. Raises FramekeepError where the ledger fails.
        """
        slots = asyncio.Semaphore(_IN_FLIGHT_PER_LOOK * self.stages.batch)
        try:
            async with asyncio.TaskGroup() as pictures:
                async for candidate in candidates:
                    await slots.acquire()
                    pictures.create_task(self._one(candidate)).add_done_callback(lambda _: slots.release())
        except* FramekeepError as errors:
            raise first_of(errors) from None

    async def _one(self, candidate: Candidate) -> None:
        rules = candidate.rules or self.rules.for_path(candidate.path).at(candidate.identity.mtime_ns, time.time_ns())
        guesses = self.habits.guesses(candidate.place, rules)
        sheet = Sheet(candidate, rules, rules.model.device, encoder_versions(), candidate.identity, guesses)
        try:
            draft = await live(self.stages, self.acting, sheet)
        except FramekeepError:
            raise
        except Exception as error:  # noqa: BLE001 - one picture's failure must not stop the daemon
            log.exception("picture_failed", path=candidate.path)
            draft = await self.acting.keep(sheet, Kept(Reason.ERROR, repr(error)))
        if draft.settings.search == "quick":
            self.habits.learn(Outcome.of(draft))
        self.decided(sheet, draft)
        if self.stages.stuck:
            raise StuckError(f"{printable(candidate.path)} keeps a decoder busy for ever: it is left alone from now on")


def first_of(errors: BaseExceptionGroup[FramekeepError]) -> FramekeepError:
    """The first failure of a group: the others are its consequences."""
    first = errors.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first
