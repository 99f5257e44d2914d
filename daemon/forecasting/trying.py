"""One picture, tried: made smaller, looked at, and judged for each option. Nothing on disk changes.

The same functions as in a picture's life (daemon/life.py), where one search decides what is made and looked at next;
here every option's search does, and what several want is made and looked at once.

Seconds are those that a sweep would need: what the codec took, divided among the processors, and the looks. Codec and
looks take turns here, so that neither makes the other seem slow.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from daemon.climbing import Climbing
from daemon.config.policy import Policy
from daemon.forecasting.judging import Choice, Choosing, Seen, Tried, choosing
from daemon.forecasting.looking import Onlookers
from daemon.forecasting.options import Models, Option, recognises
from daemon.forecasting.timing import alone
from daemon.forecasting.writing import Result, Writing
from daemon.stages import Stages
from framekeep.evidence import Evidence
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Limits, understand
from framekeep.keepers.base import Keeper, Need
from framekeep.order import Subject
from framekeep.reasons import Kept, Reason
from framekeep.regions.coefficients import ImpossibleError
from framekeep.regions.rule import regions_in
from framekeep.variants import Encoder


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every option alike; a policy's keeper has no say."""

    policy: Policy
    encoder: Encoder
    limits: Limits

    def keeper(self, option: Option) -> Keeper:
        return option.keeping(self.policy.objects)


@dataclass(frozen=True, slots=True)
class _Case:
    """A picture, and what is seen in it."""

    terms: Terms
    subject: Subject
    evidence: Evidence

    def lowest(self, option: Option) -> int:
        """The QF that nothing may look worse than."""
        return max(self.terms.policy.floor_quality, self.terms.keeper(option).lowest_quality(self.evidence))

    def choosing(self, option: Option, climbing: Climbing) -> Choosing:
        return choosing(self.terms.keeper(option), self.evidence, len(climbing.order))


class Bench:
    """Where pictures are tried. Belongs to one event loop."""

    def __init__(self, stages: Stages, models: Models, options: Sequence[Option]) -> None:
        self._stages = stages
        self._onlookers = Onlookers(stages, models)
        self._options = options

    @property
    def is_stuck(self) -> bool:
        """A decoder does not come back: nothing more can be tried."""
        return self._stages.stuck

    def unchanged(self, kept: Reason) -> Tried:
        """A picture that no option would change, for this reason."""
        return Tried.unchanged(len(self._options), kept)

    async def tried(self, data: bytes, terms: Terms) -> Tried:
        """Raises Kept for a picture that stays as it is under every keeper, and FramekeepError where a model fails."""
        original, understanding = await alone(self._stages.codec(understand, data, terms.limits))
        image, decoding = await alone(self._stages.codec(decode, data))
        evidence, looking = await self._onlookers.look(await self._stages.codec(self._onlookers.prepare, image))
        case = _Case(terms, Subject(original, image, terms.encoder), evidence)
        choices = await self._choices(case)
        writing = Writing(self._stages, original, terms.encoder, terms.policy.min_saving)
        results = []
        for option in self._options:
            result = await self._result(writing, choices[option])
            total = understanding + decoding + looking[option.need] + result.seconds
            results.append((result.left, total, recognises(terms.keeper(option), evidence)))
        left, totals, recognised = zip(*results, strict=True)
        return Tried(left, totals, recognised)

    async def _result(self, writing: Writing, choice: Choice | None) -> Result:
        if choice is None:
            return Result(1.0, 0.0)
        result = await writing.of(choice.variant)
        return replace(result, seconds=choice.seconds + result.seconds)

    async def _choices(self, case: _Case) -> dict[Option, Choice | None]:
        """Each option's; None where a sweep would leave the picture as it is."""
        choices: dict[Option, Choice | None] = {}
        plain = [option for option in self._options if option.regions is None]
        for lowest in {case.lowest(option) for option in plain}:
            climbing = await Climbing.begun(self._stages, case.subject, case.terms.policy.ladder, lowest)
            those = {option: case.choosing(option, climbing) for option in plain if case.lowest(option) == lowest}
            choices.update(await self._climbed(climbing, those))
        for option in self._options:
            if option.regions is not None:
                choices[option] = await self._apart(case, option, choices[option.whole])
        return choices

    async def _apart(self, case: _Case, option: Option, whole: Choice | None) -> Choice | None:
        """An option's choice where objects have a quality of their own; that of whole frames where that cannot be."""
        rule = option.protecting(case.terms.policy)
        regions = regions_in(case.evidence.detections, rule, case.subject.image.size)
        if not regions:
            return whole
        ladder = rule.pairs(case.terms.policy.ladder)
        try:
            begun = Climbing.begun(self._stages, case.subject, ladder, case.lowest(option), regions)
            climbing, seconds = await alone(begun)
            choice = (await self._climbed(climbing, {option: case.choosing(option, climbing)}))[option]
        except ImpossibleError:
            return whole
        except Kept:
            if self.is_stuck:
                raise
            return None
        return replace(choice, seconds=seconds + choice.seconds)

    async def _climbed(self, climbing: Climbing, those: Mapping[Option, Choosing]) -> dict[Option, Choice]:
        """Drives several options' searches up one ladder together. Raises what `Climbing.to` raises."""
        wanted: dict[Option, int] = {}
        choices: dict[Option, Choice] = {}

        def go_on(option: Option, seen: Seen | None) -> None:
            try:
                wanted[option] = those[option].send(seen)  # type: ignore[arg-type]  # None begins a generator
            except StopIteration as end:
                wanted.pop(option, None)
                choices[option] = end.value

        for option in those:
            go_on(option, None)
        while wanted:
            j = max(wanted.values())
            waiting = [option for option in wanted if wanted[option] == j]
            seen = await self._seen(climbing, j, {option.need for option in waiting})
            for option in waiting:
                go_on(option, seen)
        return choices

    async def _seen(self, climbing: Climbing, j: int, needs: AbstractSet[Need]) -> Seen:
        """A variant, looked at by those models that are asked for."""
        onlookers = self._onlookers.those(needs)
        climbed, making = await alone(climbing.to(j, self._stages, onlookers))
        if climbed is None:
            return Seen(None, None, onlookers.each(making))
        evidence, looking = await onlookers.look(climbed.prepared)
        coding = max(0.0, making - sum(climbed.prepared.seconds.values()))
        return Seen(climbed.variant, evidence, {need: coding + seconds for need, seconds in looking.items()})
