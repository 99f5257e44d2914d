"""Which keeper, ladder and times hold for a picture."""

from dataclasses import dataclass, fields, replace
from typing import Self

from pathspec import GitIgnoreSpec

from daemon.config.schema import Config, PolicyBlock
from daemon.config.staging import Choice, StageBlock
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import Ladder
from storage.patterns import compiled, folded


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for a set of paths."""

    keeper: str
    min_confidence: float
    ladder: Ladder
    vault_days: float
    min_age_days: float
    objects: ObjectRule
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
            vault_days=config.vault.days,
            min_age_days=selection.min_age_days,
            objects=config.detection.rule,
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
        path = folded(path)
        return next((policy for spec, policy in self._blocks if spec.match_file(path)), self.default)

    def _compiled(self, block: PolicyBlock, stages: tuple[StageBlock, ...]) -> tuple[GitIgnoreSpec, Policy]:
        return compiled(block.match), _staged(_overridden(self._default, block), stages)


def _overridden(policy: Policy, block: Choice) -> Policy:
    own = {field.name for field in fields(Policy)}
    overrides = {key: value for key, value in block.overrides.items() if key in own}
    return replace(policy, **overrides, objects=block.rule(policy.objects))


def _staged(policy: Policy, stages: tuple[StageBlock, ...]) -> Policy:
    """The policy as it is for a fresh picture, with what comes later."""
    each = [replace(_overridden(policy, stage), from_days=stage.from_days) for stage in stages]
    first = each.pop(0) if each and each[0].from_days == 0 else policy
    return replace(first, later=tuple(each))
