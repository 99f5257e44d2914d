"""What can be configured: sections, keys, defaults and bounds. config.toml says what each key is for."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from daemon.config.detection import Detection
from daemon.config.faults import report
from daemon.config.free_space import Pressure
from daemon.config.section import Section, describing_weights
from daemon.config.staging import Choice, StageBlock, StageBlocks, asking, beyond_the_vault
from daemon.config.values import (
    AbsolutePath,
    Days,
    Device,
    KeeperNames,
    LadderRungs,
    LedgerUrl,
    NamePatterns,
    Patterns,
    Probability,
    Sha256,
    SomePatterns,
    TimeZone,
    zone_of,
)
from daemon.names import IGNORE, INCLUDE
from framekeep.errors import UsageError
from framekeep.ladder import parse_ladder
from storage.time_rules import TimeRules

_PAPER: Final = parse_ladder("paper")


class Watch(Section):
    roots: Annotated[tuple[AbsolutePath, ...], Field(strict=False)] = (Path("incoming"),)
    settle_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 2
    rescan_minutes: Annotated[float, Field(gt=0, le=10_080)] = 10
    include: SomePatterns = INCLUDE
    ignore: Patterns = IGNORE
    allow_racy_rename: bool = False

    @field_validator("roots")
    @classmethod
    def apart(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        if not roots:
            raise ValueError("should name at least one folder")
        for index, root in enumerate(roots):
            if root in roots[:index]:
                raise ValueError(f"{root} stands twice")
            for outer in set(roots) & set(root.parents):
                raise ValueError(f"{root} lies inside {outer}, which is watched with all its folders: name one of them")
        return roots


class Selection(Section):
    model: Annotated[str, Field(min_length=1)] = "tf_efficientnet_lite0"
    weights: AbsolutePath | None = None
    weights_sha256: Sha256 | None = None
    class_names: AbsolutePath | None = None
    keeper: KeeperNames = "t1k"
    known_labels: AbsolutePath | None = None
    min_confidence: Probability = 0
    ladder: LadderRungs = _PAPER
    search: Literal["exact", "quick"] = "exact"
    min_saving: Probability = 0.01
    min_age_days: Days = 0
    stage: StageBlocks = None
    device: Device = "auto"
    batch: Annotated[int, Field(ge=1, le=1024)] = 16

    @field_validator("weights_sha256", "class_names")
    @classmethod
    def describes_weights(cls, given: str | Path | None, info: ValidationInfo) -> str | Path | None:
        return describing_weights(given, info)


class Encoder(Section):
    subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = "4:2:0"
    progressive: bool = True


class Limits(Section):
    max_megabytes: Annotated[float, Field(gt=0, le=2048)] = 64
    max_megapixels: Annotated[float, Field(gt=0, le=89)] = 80  # Pillow warns of decompression bombs above 89.4
    in_flight_megapixels: Annotated[float, Field(gt=0)] = 200
    max_seconds: Annotated[float, Field(ge=1, le=3600)] = 120

    @field_validator("in_flight_megapixels")
    @classmethod
    def holds_a_picture(cls, budget: float, info: ValidationInfo) -> float:
        largest = info.data.get("max_megapixels", budget)
        if budget < largest:
            raise ValueError(f"should be at least max_megapixels ({largest:g}): the largest picture has to fit")
        return budget


class Ledger(Section):
    url: LedgerUrl = "sqlite:///var/ledger.sqlite"


class Vault(Section):
    days: Days = 7
    follow_deletes: bool = True
    floor_megabytes: Annotated[float, Field(ge=0)] = 1024


class Holds(Section):
    timezone: TimeZone = "UTC"
    name_patterns: NamePatterns = ("%Y%m%d_%H%M%S", "%Y-%m-%d_%H-%M-%S", "%Y%m%d%H%M%S")

    @property
    def rules(self) -> TimeRules:
        return TimeRules(zone_of(self.timezone), self.name_patterns)


class Verify(Section):
    days: Days = 30
    sample_percent: Annotated[float, Field(gt=0, le=100)] = 100
    megabytes_per_second: Annotated[float, Field(gt=0)] = 10


class Breaker(Section):
    max_daily_share: Annotated[float, Field(gt=0, le=1)] = 1.0


class Drift(Section):
    sample_per_day: Annotated[int, Field(ge=0, le=10_000)] = 20
    second_model: Annotated[str, Field(min_length=1)] = "tf_efficientnet_lite2"
    alert_below: Annotated[float, Field(ge=0, le=1)] = 0.8


class Service(Section):
    runtime_directory: AbsolutePath = Path("var/run")
    log_format: Literal["auto", "console", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class Matching(Section):
    """Which paths a policy is for."""

    match: SomePatterns


class PolicyBlock(Choice, Matching):
    """What differs for the paths that `match` matches; None: as for every other path."""

    NAMES_IT: ClassVar[str] = "match"

    vault_days: Days | None = None
    min_age_days: Days | None = None
    stage: StageBlocks = None


class Config(Section):
    """A whole configuration. Every path in it is absolute."""

    watch: Watch
    selection: Selection
    detection: Detection
    encoder: Encoder
    limits: Limits
    ledger: Ledger
    vault: Vault
    pressure: Pressure
    holds: Holds
    verify: Verify
    breaker: Breaker
    drift: Drift
    service: Service
    policy: Annotated[tuple[PolicyBlock, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def absent_sections(cls, given: dict[str, Any]) -> dict[str, Any]:
        """An absent section is an empty one, so that its defaults meet the same folder as what is given."""
        return {name: {} for name in cls.model_fields if name != "policy"} | given

    @field_validator("policy")
    @classmethod
    def each_can_match(cls, blocks: tuple[PolicyBlock, ...]) -> tuple[PolicyBlock, ...]:
        matches = [block.match for block in blocks]
        for index, match in enumerate(matches):
            if match in matches[:index]:
                raise ValueError(f"two blocks match {', '.join(match)}; the first wins, so the second would do nothing")
        return blocks

    @model_validator(mode="after")
    def each_makes_sense(self) -> Self:
        for stage in self.selection.stage or ():
            stage.rule(self.detection.rule)
        for block in self.policy:
            rule = block.rule(self.detection.rule)
            for stage in self.stages_of(block):
                stage.rule(rule)
        return self

    @model_validator(mode="after")
    def originals_wait_for_their_stages(self) -> Self:
        faults = beyond_the_vault("selection.stage", self.selection.stage, self.vault.days)
        for number, block in enumerate(self.policy, 1):
            days = self.vault.days if block.vault_days is None else block.vault_days
            faults += beyond_the_vault(f"policy.#{number}", self.stages_of(block), days)
        if faults:
            raise ValueError("; ".join(dict.fromkeys(faults)))
        return self

    def stages_of(self, block: PolicyBlock) -> tuple[StageBlock, ...]:
        """Those of a policy, or else those for every path."""
        return (self.selection.stage or ()) if block.stage is None else block.stage

    @property
    def keepers(self) -> frozenset[str]:
        """Every keeper that some picture may meet."""
        stages = [*(self.selection.stage or ()), *(stage for block in self.policy for stage in block.stage or ())]
        blocks: list[Choice] = [*self.policy, *stages]
        return frozenset({self.selection.keeper, *(block.keeper for block in blocks if block.keeper)})

    @property
    def has_stages(self) -> bool:
        """Whether some picture may be decided anew as it grows older."""
        stages = [self.selection.stage or (), *map(self.stages_of, self.policy)]
        return any(stage.from_days > 0 for group in stages for stage in group)

    def overridden(
        self, *, keeper: str | None = None, ladder: str | None = None, min_confidence: float | None = None
    ) -> Self:
        """This configuration with what a command line asks for, which also wins over what policies override.

        Raises UsageError for values that a configuration file could not hold either.
        """
        asked = {"keeper": keeper, "ladder": ladder, "min_confidence": min_confidence}
        asked = {key: value for key, value in asked.items() if value is not None}
        try:
            selection = Selection.model_validate(self.selection.model_dump() | asked)
        except ValidationError as error:
            raise UsageError(report("what was asked for", error, Selection)) from None
        values = {key: getattr(selection, key) for key in asked}
        selection = selection.model_copy(update={"stage": asking(values, selection.stage)})
        policy = tuple(
            block.model_copy(update={"stage": asking(values, block.stage)})
            for block in asking(values, self.policy) or ()
        )
        return self.model_copy(update={"selection": selection, "policy": policy})
