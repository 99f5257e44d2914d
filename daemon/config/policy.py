"""Which keeper, ladder and times hold for a picture."""

from dataclasses import dataclass, fields, replace
from typing import Self

from pathspec import GitIgnoreSpec

from daemon.config.schema import Config, PolicyBlock
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import Ladder
from storage.patterns import compiled, folded


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for a set of paths."""

    keeper: str
    min_confidence: float
    ladder: Ladder
    floor_quality: int
    vault_days: float
    min_age_days: float
    objects: ObjectRule

    @classmethod
    def default(cls, config: Config) -> Self:
        selection = config.selection
        return cls(
            keeper=selection.keeper,
            min_confidence=selection.min_confidence,
            ladder=selection.ladder,
            floor_quality=selection.floor_quality,
            vault_days=config.vault.days,
            min_age_days=selection.min_age_days,
            objects=config.detection.rule,
        )


class PolicyBook:
    """Every policy of a configuration, in its order; the first that matches a path holds."""

    def __init__(self, config: Config) -> None:
        self.default = Policy.default(config)
        self._blocks = [self._compiled(block) for block in config.policy]

    @property
    def policies(self) -> list[Policy]:
        return [self.default, *(policy for _, policy in self._blocks)]

    def for_path(self, path: str) -> Policy:
        """The policy of a picture's path relative to its root; bytes that are not UTF-8 are surrogate-escaped."""
        path = folded(path)
        return next((policy for spec, policy in self._blocks if spec.match_file(path)), self.default)

    def _compiled(self, block: PolicyBlock) -> tuple[GitIgnoreSpec, Policy]:
        own = {field.name for field in fields(Policy)}
        overrides = {key: value for key, value in block.overrides.items() if key in own}
        policy = replace(self.default, **overrides)
        return compiled(block.match), replace(policy, objects=block.rule(policy.objects))
