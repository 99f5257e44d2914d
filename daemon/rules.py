"""Everything that holds for one picture: its policy, made ready to use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from daemon.config.hours import WorkingHours
from daemon.config.policy import Policy, PolicyBook
from daemon.config.schema import Config
from daemon.known_labels import KnownLabels, known_labels
from framekeep.errors import ConfigurationError
from framekeep.jpeg import mozjpeg
from framekeep.jpeg.source import Limits
from framekeep.keepers.base import Keeper
from framekeep.keepers.naming import HRS, compares_objects, keeper_of
from framekeep.ladder import Ladder
from framekeep.models.base import Model
from framekeep.models.both import part_for
from framekeep.models.identity import use_of
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import OFF, RegionRule
from framekeep.variants import Encoder
from storage.files import FileIdentity
from storage.records import Known, Settings

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Rules:
    """What is decided by configuration alone, before the picture is known."""

    model: Model
    """As much of the model of record as the keeper needs."""
    record: Model
    """All of it."""
    keeper: Keeper
    ladder: Ladder
    """Without what is below the floor."""
    floor_quality: int
    encoder: Encoder
    limits: Limits
    min_saving: float
    min_confidence: float
    min_age_days: float
    hours: WorkingHours
    exclude: bool
    vault_days: float
    settings: Settings
    """The part that every decision depends on, as the ledger keeps it."""
    regions: RegionRule
    known: KnownLabels | None
    """Where the keeper needs to know what each picture shows."""
    second_generation: bool
    """Whether a later stage may start from a variant, where the vault holds the original no longer."""
    broken: Mapping[Reason, str]
    """By the reasons that tell of a broken limit: the limits that a decision with that reason depends on, too."""
    later: tuple["Rules", ...] = ()
    """Those of later stages, by rising age."""

    def at(self, mtime_ns: int, now_ns: int) -> "Rules":
        """Those of the stage that a picture of this time has reached."""
        if not self.later:
            return self
        reached = [rules for rules in self.later if rules.settings.stage * _DAY_NS <= now_ns - mtime_ns]
        return reached[-1] if reached else self

    def next_for(self, known: Known) -> "Rules | None":
        """Those of the stage that follows the one of its decision, or a later one that was tried in vain."""
        tried = (rules.settings.stage for rules in self.later if rules.were_tried(known))
        reached = max(known.stage, *tried, 0)
        return next((rules for rules in self.later if rules.settings.stage > reached), None)

    def settings_for(self, reason: Reason) -> Settings:
        """What a decision with this reason depends on: other limits are no cause to look at all pictures again."""
        return replace(self.settings, limits=self.broken.get(reason, ""))

    def were_tried(self, known: Known) -> bool:
        """Whether they changed nothing at a path, for a reason that still stands."""
        limits = ("", *self.broken.values())
        return bool(known.tried) and any(
            replace(self.settings, limits=one).fingerprint in known.tried for one in limits
        )

    def for_picture(self, path: str) -> "Rules":
        """The same, with the keeper of this very picture. Raises Kept where its label has to be known, and is not."""
        return replace(self, keeper=self.known.keeper(path)) if self.known else self

    def left_alone(self, now: datetime) -> Reason | None:
        """Why a picture is not even looked at now; None: it is. No decision tells of it: the next rescan asks again."""
        if self.exclude:
            return Reason.EXCLUDED
        return None if self.hours.hold(now) else Reason.OUTSIDE_HOURS

    def check_age(self, identity: FileIdentity, now_ns: int) -> None:
        """Raises Kept where the picture is younger than its policy's minimum age."""
        if now_ns - identity.mtime_ns < self.min_age_days * _DAY_NS:
            raise Kept(Reason.TOO_YOUNG)


def limits_of(config: Config) -> Limits:
    return Limits(int(config.limits.max_megabytes * 2**20), int(config.limits.max_megapixels * 10**6))


def _broken(config: Config) -> Mapping[Reason, str]:
    limits = config.limits
    allowed = "allowed" if config.selection.allow_second_generation else "not allowed"
    return {
        Reason.NO_ORIGINAL: f"a second generation is {allowed}",
        Reason.TOO_LARGE: f"{limits.max_megabytes:g} megabytes, {limits.max_megapixels:g} megapixels",
        Reason.TOO_SLOW: f"{limits.max_seconds:g} seconds",
    }


def check_encoders(ladder: Ladder) -> None:
    """Raises ConfigurationError for a ladder with an encoder that is not here."""
    if ladder.is_mixed and not mozjpeg.works():
        raise ConfigurationError(f"the ladder {ladder.name} cannot be used: {mozjpeg.INSTALL}")


class RuleBook:
    """The rules of a configuration and a model, by path. Making one raises ConfigurationError."""

    def __init__(self, config: Config, model: Model) -> None:
        self._config = config
        self._model = model
        self._policies = PolicyBook(config)
        self._rules = {id(policy): self._made(policy) for policy in self._policies.policies}
        """By the policy's identity: a policy is asked for by every file of a walk, and to hash one takes long."""

    @property
    def last_stage(self) -> float:
        """The highest age, in days, at which any stage begins; 0 where there are none."""
        return max(later.settings.stage for rules in self._rules.values() for later in (rules, *rules.later))

    def for_path(self, path: str) -> Rules:
        """What holds for a path relative to its root, at first: ask `Rules.at` for an age."""
        return self._rules[id(self._policies.for_path(path))]

    @property
    def hours(self) -> frozenset[WorkingHours]:
        """Of all policies; in them pictures are shrunk."""
        return frozenset(rules.hours for rules in self._rules.values() if not rules.exclude)

    def _made(self, policy: Policy) -> Rules:
        config = self._config
        check_encoders(policy.ladder)
        encoder = Encoder(config.encoder.subsampling, config.encoder.progressive)
        limits = limits_of(config)
        keeper = keeper_of(policy.keeper, policy.min_confidence, policy.objects)
        model = part_for(self._model, keeper.needs)
        known = self._known_labels(model) if policy.keeper == HRS else None
        regions = policy.region_rule if compares_objects(policy.keeper) else OFF
        settings = Settings(
            keeper=policy.keeper,
            min_confidence=policy.min_confidence,
            ladder=policy.ladder.name,
            floor_quality=policy.floor_quality,
            min_saving=policy.min_saving,
            subsampling=encoder.subsampling,
            progressive=encoder.progressive,
            model=model.name,
            model_digest=model.digest,
            model_use=use_of(model),
            objects=str(policy.objects) if compares_objects(policy.keeper) else "",
            known_labels=known.version if known else "",
            search=config.selection.search,
            region_rule=str(regions),
            stage=policy.from_days,
        )
        return Rules(
            model=model,
            record=self._model,
            keeper=keeper,
            ladder=policy.ladder.above(policy.floor_quality),
            floor_quality=policy.floor_quality,
            encoder=encoder,
            limits=limits,
            min_saving=policy.min_saving,
            min_confidence=policy.min_confidence,
            min_age_days=policy.min_age_days,
            hours=policy.hours,
            exclude=policy.exclude,
            vault_days=policy.vault_days,
            settings=settings,
            regions=regions,
            known=known,
            second_generation=config.selection.allow_second_generation,
            broken=_broken(config),
            later=tuple(map(self._made, policy.later)),
        )

    def _known_labels(self, model: Model) -> KnownLabels:
        return known_labels(self._config.selection.known_labels, model)
