"""One picture, tried: made at every rung, looked at, and judged for each option. Nothing on disk changes.

The same functions as in a picture's life (daemon/life.py), in another order: there one search decides what is made and
looked at next; here all of it is made and looked at, once for every option.

Seconds are those that a sweep would need: what the codec computed, divided among the processors, and the looks. Codec
and looks take turns here, so that neither makes the other seem slow.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL.Image import Image

from daemon.forecasting.judging import Seconds, Seen, Tried, choose
from daemon.forecasting.options import Models, Option, recognises
from daemon.forecasting.timing import alone, computed_since
from daemon.forecasting.writing import Writing
from daemon.stages import Stages
from framekeep.evidence import Evidence
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Limits, Original, understand
from framekeep.keepers.base import Need
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import Ladder, Rung
from framekeep.models.base import Prepared
from framekeep.reasons import Reason
from framekeep.variants import Encoder, Variant, climb


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every option alike."""

    ladder: Ladder
    objects: ObjectRule
    encoder: Encoder
    limits: Limits
    min_saving: float
    pixels_in_flight: int
    """How many may be decoded at one time."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A picture as each model wants it; `seconds` until it is, by the model's kind of evidence."""

    pictures: Mapping[Need, Prepared]
    seconds: Seconds


class Bench:
    """Where pictures are tried. Belongs to one event loop."""

    def __init__(self, stages: Stages, models: Models, options: Sequence[Option]) -> None:
        self._stages = stages
        self._models = models
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
        decoded = await self._stages.codec(self._prepared, image, understanding + decoding)
        [(evidence, seconds)] = await self._looked([decoded])
        seen = await self._climbed(original, image, terms)
        writing = Writing(self._stages, original, terms.encoder, terms.min_saving)
        results = []
        for option in self._options:
            keeper = option.keeping(terms.objects)
            choice = choose(keeper, terms.ladder, evidence, seen)
            result = await writing.of(choice.variant)
            total = seconds[option.need] + choice.seconds + result.seconds
            results.append((result.left, total, recognises(keeper, evidence)))
        left, totals, recognised = zip(*results, strict=True)
        return Tried(left, totals, recognised)

    async def _climbed(self, original: Original, image: Image, terms: Terms) -> list[Seen]:
        """Every rung's variant, as many at a time as memory may hold."""
        at_once = max(1, terms.pixels_in_flight // (original.width * original.height))
        seen: list[Seen] = []
        while rungs := terms.ladder.rungs[len(seen) : len(seen) + at_once]:
            climbs = (self._stages.codec(self._climb, original, image, rung, terms.encoder) for rung in rungs)
            climbed = await asyncio.gather(*climbs)
            looks = iter(await self._looked([decoded for _, decoded in climbed if decoded.pictures]))
            for variant, decoded in climbed:
                evidence, seconds = next(looks) if decoded.pictures else (None, decoded.seconds)
                seen.append(Seen(variant, evidence, seconds))
        return seen

    def _climb(self, original: Original, image: Image, rung: Rung, encoder: Encoder) -> tuple[Variant, _Decoded]:
        """The variant, and what the models are to see of it: nothing where it is no smaller than the original."""
        own = image.copy()  # Pillow notes in the image how it is being saved: two threads must not save the same one
        start = time.thread_time()
        variant = climb(original, own, rung, encoder)
        if len(variant.data) < len(original.data):
            again = decode(variant.data)
            return variant, self._prepared(again, computed_since(start))
        return variant, _Decoded({}, dict.fromkeys(self._models, computed_since(start)))

    def _prepared(self, image: Image, seconds: float) -> _Decoded:
        """`seconds` is what the image has cost so far."""
        pictures, costs = {}, {}
        for need, model in self._models.items():
            start = time.thread_time()
            pictures[need] = model.prepare(image)
            costs[need] = seconds + computed_since(start)
        return _Decoded(pictures, costs)

    async def _looked(self, decoded: Sequence[_Decoded]) -> list[tuple[Evidence, Seconds]]:
        """What all models see together in each picture, and the seconds until each has seen it."""
        seen: dict[Need, list[Evidence]] = {}
        looking: dict[Need, float] = {}
        for need, model in self._models.items():
            start = time.perf_counter()
            seen[need] = await asyncio.gather(*(self._stages.look(model, one.pictures[need]) for one in decoded))
            looking[need] = (time.perf_counter() - start) / max(len(decoded), 1)
        together = [_together(seen, k) for k in range(len(decoded))]
        seconds = [{need: cost + looking[need] for need, cost in one.seconds.items()} for one in decoded]
        return list(zip(together, seconds, strict=True))


def _together(seen: Mapping[Need, Sequence[Evidence]], k: int) -> Evidence:
    """What a model that makes every kind of evidence would have seen in picture k."""
    labels, objects = seen.get(Need.PREDICTION), seen.get(Need.DETECTIONS)
    return Evidence(labels[k].prediction if labels else None, objects[k].detections if objects else None)
