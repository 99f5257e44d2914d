"""All models together: each sees the same pictures, and its time is told apart from the others'."""

import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from PIL.Image import Image

from daemon.forecasting.judging import Seconds
from daemon.forecasting.options import Models
from daemon.forecasting.timing import computed_since
from daemon.stages import Stages
from framekeep.evidence import Evidence
from framekeep.keepers.base import Need
from framekeep.models.base import Prepared


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as each model wants it, and the seconds that it took to make that of its pixels."""

    pictures: Mapping[Need, Prepared]
    seconds: Seconds


class Onlookers:
    """Some of the models."""

    def __init__(self, stages: Stages, models: Models) -> None:
        self._stages = stages
        self._models = models

    def those(self, needs: AbstractSet[Need]) -> "Onlookers":
        """Only those that make these kinds of evidence."""
        return Onlookers(self._stages, {need: model for need, model in self._models.items() if need in needs})

    def prepare(self, image: Image) -> Shown:
        """What each model is to see."""
        pictures, seconds = {}, {}
        for need, model in self._models.items():
            start = time.thread_time()
            pictures[need] = model.prepare(image)
            seconds[need] = computed_since(start)
        return Shown(pictures, seconds)

    async def look(self, shown: Shown) -> tuple[Evidence, Seconds]:
        """What all see together, and the seconds of each, those of its preparation included."""
        seen: dict[Need, Evidence] = {}
        seconds: dict[Need, float] = {}
        for need, model in self._models.items():
            start = time.perf_counter()
            seen[need] = await self._stages.look(model, shown.pictures[need])
            seconds[need] = shown.seconds[need] + time.perf_counter() - start
        labels, objects = seen.get(Need.PREDICTION), seen.get(Need.DETECTIONS)
        return Evidence(labels.prediction if labels else None, objects.detections if objects else None), seconds

    def each(self, seconds: float) -> Seconds:
        """The same for all."""
        return dict.fromkeys(self._models, seconds)
