"""Which keeper, ladder and times hold for a picture, and which block of the configuration says so."""

from dataclasses import dataclass, fields, replace
from typing import Self

from pathspec import GitIgnoreSpec

from daemon.config.hours import WorkingHours
from daemon.config.schema import Config
from daemon.config.staging import Choice, PolicyBlock, StageBlock
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import Ladder
from framekeep.regions.rule import OFF, RegionRule
from storage.patterns import compiled, folded


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for a set of paths."""

    keeper: str
    min_confidence: float
    ladder: Ladder
    min_saving: float
    floor_quality: int
    vault_days: float
    min_age_days: float
    hours: WorkingHours
    objects: ObjectRule
    exclude: bool = False
    region_rule: RegionRule = OFF
    from_days: float = 0.0
    """The age from which on it holds."""
    later: tuple["Policy", ...] = ()
    """What holds from later ages on, by rising age."""

    @classmethod
    def default(cls, config: Config) -> Self:
        """Without its stages."""
        selection = config.selection
        return cls(
            keeper=selection.keeper,
            min_confidence=selection.min_confidence,
            ladder=selection.ladder,
            min_saving=selection.min_saving,
            floor_quality=selection.floor_quality,
            vault_days=config.vault.days,
            min_age_days=selection.min_age_days,
            hours=WorkingHours.parse(selection.hours, config.holds.rules.zone),
            objects=config.detection.rule,
            region_rule=config.detection.region_rule,
        )


class PolicyBook:
    """Every policy of a configuration, in its order; the first that matches a path holds."""

    def __init__(self, config: Config) -> None:
        self._default = Policy.default(config)
        self.default = _staged(self._default, config.selection.stage or ())
        self._blocks = [self._compiled(block, config.stages_of(block)) for block in config.policy]

    @property
    def policies(self) -> list[Policy]:
        return [self.default, *(policy for _, policy in self._blocks)]

    def for_path(self, path: str) -> Policy:
        """The policy of a picture's path relative to its root; bytes that are not UTF-8 are surrogate-escaped."""
        index = self.index_of(path)
        return self.default if index is None else self._blocks[index][1]

    def index_of(self, path: str) -> int | None:
        """Which block holds for a path, counted from 0; None where none matches."""
        path = folded(path)
        return next((index for index, (spec, _) in enumerate(self._blocks) if spec.match_file(path)), None)

    def _compiled(self, block: PolicyBlock, stages: tuple[StageBlock, ...]) -> tuple[GitIgnoreSpec, Policy]:
        return compiled(block.match), _staged(_overridden(self._default, block), stages)


def _overridden(policy: Policy, block: Choice) -> Policy:
    own = {field.name for field in fields(Policy)}
    overrides = {key: value for key, value in block.overrides.items() if key in own}
    if "hours" in overrides:
        overrides["hours"] = WorkingHours.parse(overrides["hours"], policy.hours.zone)
    objects = block.rule(policy.objects)
    regions = block.region_rule(policy.region_rule, objects)
    return replace(policy, **overrides, objects=objects, region_rule=regions)


def _staged(policy: Policy, stages: tuple[StageBlock, ...]) -> Policy:
    """The policy as it is for a fresh picture, with what comes later."""
    each = [replace(_overridden(policy, stage), from_days=stage.from_days) for stage in stages]
    first = each.pop(0) if each and each[0].from_days == 0 else policy
    return replace(first, later=tuple(each))
