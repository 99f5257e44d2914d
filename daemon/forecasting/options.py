"""What an administrator may choose: a keeper, its min_confidence, its regions. A forecast tells of each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from daemon.config.policy import Policy
from framekeep.evidence import Evidence
from framekeep.keepers.base import Keeper, Need
from framekeep.keepers.naming import compares_objects, keeper_of
from framekeep.keepers.objects import ObjectRule, detections_of, object_keeper_in
from framekeep.ladder import EXACT
from framekeep.models.base import Model
from framekeep.regions.rule import RegionRule

RECOGNISED: Final = 0.3
"""The probability from which on a label counts as recognised: the other min_confidence that is told of."""

Models = Mapping[Need, Model]
"""The model of record for each kind of evidence that is to be had here."""


@dataclass(frozen=True, slots=True)
class Option:
    """`min_confidence` is None where labels are not compared, `regions` where objects have no quality of their own."""

    keeper: str
    min_confidence: float | None
    regions: Literal["exact"] | int | None = None

    @property
    def name(self) -> str:
        if self.regions is not None:
            return f"{self.keeper}, regions {self.regions}"
        return f"{self.keeper} at {self.min_confidence:g}" if self.min_confidence else self.keeper

    @property
    def need(self) -> Need:
        """The kind of evidence that it compares."""
        return Need.DETECTIONS if compares_objects(self.keeper) else Need.PREDICTION

    @property
    def whole(self) -> "Option":
        """The same for whole frames."""
        return replace(self, regions=None)

    def keeping(self, objects: ObjectRule) -> Keeper:
        """The keeper, where this rule holds for objects."""
        return keeper_of(self.keeper, self.min_confidence or 0.0, objects)

    def protecting(self, policy: Policy) -> RegionRule:
        """What holds for regions, for which a policy may have had no use so far: all that must be kept is in one."""
        rule = policy.region_rule
        least = min(rule.regions_min_score, policy.objects.min_score)
        return replace(rule, regions=self.regions or "off", regions_min_score=least)


_LABELS: Final = tuple(Option(keeper, least) for least in (0.0, RECOGNISED) for keeper in ("t1k", "t5k", "ttk"))
_OBJECTS: Final = Option("objects", None)
_GOOD: Final = 60
"""A quality factor for objects at which people see them well; told of where the configuration names no other."""


def options_for(models: Models, regions: Literal["off", "exact"] | int) -> tuple[Option, ...]:
    """Those that the models which are to be had can judge; `regions` as configured."""
    quality = regions if isinstance(regions, int) else _GOOD
    apart = (replace(_OBJECTS, regions=EXACT), replace(_OBJECTS, regions=quality))
    return tuple(option for option in (*_LABELS, _OBJECTS, *apart) if option.need in models)


def recognises(keeper: Keeper, original: Evidence) -> bool:
    """Whether anything is recognised in the original that this keeper compares."""
    objects = object_keeper_in(keeper)
    if objects is not None:
        return len(objects.wanted(detections_of(original))) > 0
    return original.prediction is not None and original.prediction.top(1)[0][1] >= RECOGNISED
