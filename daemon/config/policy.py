"""Which keeper, ladder and times hold for a picture."""

from dataclasses import dataclass, replace
from typing import Self

from pathspec import GitIgnoreSpec

from daemon.config.schema import Config, PolicyBlock
from framekeep.ladder import Ladder
from storage.patterns import compiled, folded


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for a set of paths. `name` tells an administrator which block that is."""

    name: str
    keeper: str
    min_confidence: float
    ladder: Ladder
    vault_days: float
    min_age_days: float

    @classmethod
    def default(cls, config: Config) -> Self:
        selection = config.selection
        return cls(
            name="default",
            keeper=selection.keeper,
            min_confidence=selection.min_confidence,
            ladder=selection.ladder,
            vault_days=config.vault.days,
            min_age_days=selection.min_age_days,
        )


class PolicyBook:
    """Every policy of a configuration, in its order; the first that matches a path holds."""

    def __init__(self, config: Config) -> None:
        self.default = Policy.default(config)
        self._blocks = [self._compiled(block) for block in config.policy]

    def for_path(self, path: str) -> Policy:
        """The policy of a picture's path relative to its root; bytes that are not UTF-8 are surrogate-escaped."""
        path = folded(path)
        return next((policy for spec, policy in self._blocks if spec.match_file(path)), self.default)

    def _compiled(self, block: PolicyBlock) -> tuple[GitIgnoreSpec, Policy]:
        policy = replace(self.default, name=", ".join(block.match), **block.overrides)
        return compiled(block.match), policy
