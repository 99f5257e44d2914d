"""What an administrator may choose: a keeper and its min_confidence. A forecast tells of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from framekeep.evidence import Evidence
from framekeep.keepers.base import Keeper, Need
from framekeep.keepers.naming import compares_objects, keeper_of
from framekeep.keepers.objects import ObjectRule, detections_of, object_keeper_in
from framekeep.models.base import Model

RECOGNISED: Final = 0.3
"""The probability from which on a label counts as recognised: the other min_confidence that is told of."""

Models = Mapping[Need, Model]
"""The model of record for each kind of evidence that is to be had here."""


@dataclass(frozen=True, slots=True)
class Option:
    """`min_confidence` is None where labels are not compared."""

    keeper: str
    min_confidence: float | None

    @property
    def name(self) -> str:
        return f"{self.keeper} at {self.min_confidence:g}" if self.min_confidence else self.keeper

    @property
    def need(self) -> Need:
        """The kind of evidence that it compares."""
        return Need.DETECTIONS if compares_objects(self.keeper) else Need.PREDICTION

    def keeping(self, objects: ObjectRule) -> Keeper:
        """The keeper, where this rule holds for objects."""
        return keeper_of(self.keeper, self.min_confidence or 0.0, objects)


_LABELS: Final = tuple(Option(keeper, least) for least in (0.0, RECOGNISED) for keeper in ("t1k", "t5k", "ttk"))
_ALL: Final = (*_LABELS, Option("objects", None))


def options_for(models: Models) -> tuple[Option, ...]:
    """Those that the models which are to be had can judge."""
    return tuple(option for option in _ALL if option.need in models)


def recognises(keeper: Keeper, original: Evidence) -> bool:
    """Whether anything is recognised in the original that this keeper compares."""
    objects = object_keeper_in(keeper)
    if objects is not None:
        return len(objects.wanted(detections_of(original))) > 0
    return original.prediction is not None and original.prediction.top(1)[0][1] >= RECOGNISED
