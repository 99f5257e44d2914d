"""What decides a choice: what of it a policy changes for some paths, and a stage as pictures grow older."""

from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from daemon.config.detection import with_doubtful, with_evidence
from daemon.config.section import Section
from daemon.config.values import (
    ClassNames,
    Days,
    Hours,
    KeeperNames,
    LadderRungs,
    Margin,
    Objects,
    Probability,
    Quality,
    Score,
    SomePatterns,
)
from framekeep.keepers.naming import HRS, compares_objects
from framekeep.keepers.objects import ObjectRule
from framekeep.regions.rule import OFF, RegionRule

Block = TypeVar("Block", bound="Choice")

_UNRECORDED: Final = (
    "for which the original itself is needed, and the vault may have released it by then: set another keeper or "
    'regions = "off" for that stage, or let it begin while the vault holds the original'
)


class Choice(Section):
    """What decides a choice, where it differs; None: as it is else."""

    NAMES_IT: ClassVar[str] = ""
    """The key that says what this is about, and overrides nothing."""

    keeper: KeeperNames | None = None
    min_confidence: Probability | None = None
    ladder: LadderRungs | None = None
    min_saving: Probability | None = None
    floor_quality: Quality | None = None
    min_score: Score | None = None
    slack: Annotated[float, Field(ge=0, lt=1)] | None = None
    iou: Annotated[float, Field(gt=0, le=0.95)] | None = None
    classes: ClassNames | None = None
    lost_only: bool | None = None
    quality_when_found: Quality | None = None
    regions: Objects | None = None
    regions_margin: Margin | None = None
    regions_min_score: Score | None = None
    regions_classes: ClassNames | None = None

    @model_validator(mode="after")
    def overrides_something(self) -> Self:
        if not self.overrides:
            raise ValueError(f"overrides nothing; it can override {', '.join(self._overridable())}")
        return self

    @property
    def overrides(self) -> dict[str, Any]:
        """The overridden keys with their values."""
        return {key: value for key in self._overridable() if (value := getattr(self, key)) is not None}

    def rule(self, default: ObjectRule) -> ObjectRule:
        """What holds for objects here. Raises ValueError where that makes no sense together."""
        return with_evidence(replace(default, **self._own(ObjectRule)))

    def region_rule(self, default: RegionRule, objects: ObjectRule) -> RegionRule:
        """What holds for regions here, beside this rule for objects. Raises ValueError likewise."""
        return with_doubtful(replace(default, **self._own(RegionRule)), objects)

    def _own(self, rule: type[ObjectRule | RegionRule]) -> dict[str, Any]:
        names = {field.name for field in fields(rule)}
        return {key: value for key, value in self.overrides.items() if key in names}

    @classmethod
    def _overridable(cls) -> list[str]:
        return [key for key in cls.model_fields if key != cls.NAMES_IT]


class StageBlock(Choice):
    """What changes for pictures from an age on; what it leaves out is as the policy says, whatever other stages say."""

    NAMES_IT: ClassVar[str] = "from_days"

    from_days: Days


def _ascending(stages: tuple[StageBlock, ...] | None) -> tuple[StageBlock, ...] | None:
    for one, other in pairwise(stages or ()):
        if one.from_days == other.from_days:
            raise ValueError(f"two stages begin at {one.from_days:g} days: make one of them")
        if one.from_days > other.from_days:
            raise ValueError(
                f"the stage from {other.from_days:g} days stands behind the one from {one.from_days:g} days: "
                "stages follow each other by age"
            )
    return stages


StageBlocks = Annotated[
    Annotated[tuple[StageBlock, ...], Field(strict=False, min_length=1)] | None, AfterValidator(_ascending)
]


class Matching(Section):
    """Which paths a policy is for."""

    match: SomePatterns


class PolicyBlock(Choice, Matching):
    """What differs for the paths that `match` matches; None: as for every other path."""

    NAMES_IT: ClassVar[str] = "match"

    vault_days: Days | None = None
    min_age_days: Days | None = None
    hours: Hours | None = None
    exclude: bool | None = None
    stage: StageBlocks = None

    @model_validator(mode="after")
    def excludes_alone(self) -> Self:
        others = [key for key in self.overrides if key != "exclude"]
        if self.exclude and others:
            raise ValueError(f"excludes what it matches, so {', '.join(others)} would do nothing there")
        return self


def asking(values: Mapping[str, Any], blocks: tuple[Block, ...] | None) -> tuple[Block, ...] | None:
    """The blocks with what a command line asks for in the place of what they override."""
    if blocks is None:
        return None
    return tuple(block.model_copy(update={k: values[k] for k in values.keys() & block.overrides}) for block in blocks)


def beyond_the_vault(
    where: str,
    stages: tuple[StageBlock, ...],
    vault_days: float,
    _inherited: Mapping[str, Any],
) -> list[str]:
    """A sentence for each stage that begins when the vault may hold the original no longer."""
    return [
        f"{where}: the stage from {stage.from_days:g} days begins when the vault, which holds originals for "
        f"{vault_days:g} days, may have released what it starts from: raise the days of the vault above "
        f"{stage.from_days:g}, let the stage begin earlier, or set [selection] allow_second_generation = true, by "
        "which it starts from the variant that stands"
        for stage in stages or ()
        if _is_beyond(stage, vault_days)
    ]


def beyond_judgement(
    where: str, stages: tuple[StageBlock, ...], vault_days: float, inherited: Mapping[str, Any]
) -> list[str]:
    """A sentence for each such stage whose second generation the ledger's record of the original could never judge."""
    faults = []
    for stage in stages:
        keeper, regions = stage.keeper or inherited["keeper"], stage.regions or inherited["regions"]
        if _is_beyond(stage, vault_days) and keeper == HRS:
            faults.append(f"{where}: the stage from {stage.from_days:g} days has the keeper hrs, {_UNRECORDED}")
        if _is_beyond(stage, vault_days) and compares_objects(keeper) and regions != OFF.regions:
            faults.append(f"{where}: the stage from {stage.from_days:g} days has regions, {_UNRECORDED}")
    return faults


def _is_beyond(stage: StageBlock, vault_days: float) -> bool:
    return stage.from_days > 0 and vault_days <= stage.from_days
