"""Everything that holds for one picture: its policy, made ready to use."""

from dataclasses import dataclass

from daemon.config.policy import Policy, PolicyBook
from daemon.config.schema import Config
from framekeep.jpeg.source import Limits
from framekeep.keepers.base import Keeper
from framekeep.keepers.naming import keeper_of
from framekeep.ladder import Ladder
from framekeep.models.base import Model
from framekeep.reasons import Kept, Reason
from framekeep.variants import Encoder
from storage.files import FileIdentity
from storage.records import Settings

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Rules:
    """What is decided by configuration alone, before the picture is known."""

    keeper: Keeper
    ladder: Ladder
    encoder: Encoder
    limits: Limits
    min_saving: float
    min_confidence: float
    min_age_days: float
    vault_days: float
    settings: Settings
    """The part that a decision depends on, as the ledger keeps it."""

    def check_age(self, identity: FileIdentity, now_ns: int) -> None:
        """Raises Kept where the picture is younger than its policy's minimum age."""
        if now_ns - identity.mtime_ns < self.min_age_days * _DAY_NS:
            raise Kept(Reason.TOO_YOUNG)


def limits_of(config: Config) -> Limits:
    return Limits(int(config.limits.max_megabytes * 2**20), int(config.limits.max_megapixels * 10**6))


class RuleBook:
    """The rules of a configuration and a model, by path."""

    def __init__(self, config: Config, model: Model) -> None:
        self._config = config
        self._model = model
        self._policies = PolicyBook(config)
        self._rules: dict[Policy, Rules] = {}

    def for_path(self, path: str) -> Rules:
        """What holds for a path relative to its root."""
        policy = self._policies.for_path(path)
        if policy not in self._rules:
            self._rules[policy] = self._made(policy)
        return self._rules[policy]

    def _made(self, policy: Policy) -> Rules:
        config = self._config
        encoder = Encoder(config.encoder.subsampling, config.encoder.progressive)
        limits = limits_of(config)
        settings = Settings(
            keeper=policy.keeper,
            min_confidence=policy.min_confidence,
            ladder=policy.ladder.name,
            min_saving=config.selection.min_saving,
            subsampling=encoder.subsampling,
            progressive=encoder.progressive,
            model=self._model.name,
            model_digest=self._model.digest,
        )
        return Rules(
            keeper=keeper_of(policy.keeper, policy.min_confidence),
            ladder=policy.ladder,
            encoder=encoder,
            limits=limits,
            min_saving=config.selection.min_saving,
            min_confidence=policy.min_confidence,
            min_age_days=policy.min_age_days,
            vault_days=policy.vault_days,
            settings=settings,
        )
