"""What can be configured: sections, keys, defaults and bounds. config.toml says what each key is for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from daemon.config.detection import Detection
from daemon.config.faults import listed, report
from daemon.config.free_space import Pressure
from daemon.config.hours import ALL_DAY
from daemon.config.ladders import check_floor, check_regions, check_search, check_subsampling
from daemon.config.matches import fault_of_match, superfluous
from daemon.config.meant import Meant
from daemon.config.section import Section, describing_weights
from daemon.config.sections import Breaker, Drift, Holds, Ledger, Limits, Service, Vault, Verify
from daemon.config.staging import (
    Choice,
    PolicyBlock,
    StageBlock,
    StageBlocks,
    asking,
    beyond_judgement,
    beyond_the_vault,
)
from daemon.config.values import (
    AbsolutePath,
    Days,
    Device,
    Hours,
    KeeperNames,
    LadderRungs,
    Patterns,
    Probability,
    Quality,
    Sha256,
    SomePatterns,
)
from daemon.names import IGNORE, INCLUDE, NameFilter
from framekeep.errors import UsageError
from framekeep.keepers.naming import compares_objects
from framekeep.ladder import parse_ladder

_PAPER: Final = parse_ladder("paper")
_NO_OBJECTS: Final = 'this is for the keeper "objects", which nothing here has'


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
    floor_quality: Quality = 10
    search: Literal["exact", "quick"] = "exact"
    min_saving: Probability = 0.01
    min_age_days: Days = 0
    hours: Hours = ALL_DAY
    stage: StageBlocks = None
    allow_second_generation: bool = False
    device: Device = "auto"
    batch: Annotated[int, Field(ge=1, le=1024)] = 16

    @field_validator("weights_sha256", "class_names")
    @classmethod
    def describes_weights(cls, given: str | Path | None, info: ValidationInfo) -> str | Path | None:
        return describing_weights(given, info)

    @field_validator("floor_quality")
    @classmethod
    def leaves_rungs(cls, given: int, info: ValidationInfo) -> int:
        if "ladder" in info.data:
            check_floor(info.data["ladder"], given)
        return given

    @field_validator("search")
    @classmethod
    def knows_the_order(cls, given: str, info: ValidationInfo) -> str:
        if "ladder" in info.data:
            check_search(info.data["ladder"], given)
        return given


class Encoder(Section):
    subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = "4:2:0"
    progressive: bool = True


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

    @field_validator("encoder")
    @classmethod
    def writes_every_rung(cls, encoder: Encoder, info: ValidationInfo) -> Encoder:
        if "selection" in info.data:
            check_subsampling(info.data["selection"].ladder, encoder.subsampling)
        return encoder

    @field_validator("policy")
    @classmethod
    def each_does_something(cls, blocks: tuple[PolicyBlock, ...]) -> tuple[PolicyBlock, ...]:
        if faults := list(superfluous([block.match for block in blocks])):
            raise ValueError("\n".join(faults))
        return blocks

    @field_validator("policy")
    @classmethod
    def each_makes_sense(cls, blocks: tuple[PolicyBlock, ...], info: ValidationInfo) -> tuple[PolicyBlock, ...]:
        """With those of the other sections that can be used: so all faults are told at once."""
        numbered = enumerate(blocks, 1)
        if faults := [f"#{number}: {fault}" for number, block in numbered for fault in _faults(block, info)]:
            raise ValueError("\n".join(faults))
        return blocks

    @model_validator(mode="after")
    def stages_make_sense(self) -> Self:
        if faults := [*self._faults(), *self._idle_regions()]:
            raise ValueError("\n".join(faults))
        return self

    def _idle_regions(self) -> Iterator[str]:
        """Regions are objects': where nothing looks for these, somebody would wait for them in vain."""
        if self.detection.regions != "off" and not any(map(compares_objects, self.keepers)):
            yield f"detection.regions = {self.detection.regions}: {_NO_OBJECTS}"
        try:
            check_regions(self.selection.ladder.above(self.selection.floor_quality), self.detection.regions)
        except ValueError as error:
            yield f"detection.{error}"
        for number, block in enumerate(self.policy, 1):
            keepers = {block.keeper or self.selection.keeper, *(stage.keeper or "" for stage in self.stages_of(block))}
            if block.regions not in {None, "off"} and not any(map(compares_objects, keepers)):
                yield f"policy.#{number}.regions = {block.regions}: {_NO_OBJECTS}"

    def _faults(self) -> list[str]:
        """What makes no sense in policies and stages, each in its turn."""
        beyond = beyond_judgement if self.selection.allow_second_generation else beyond_the_vault
        stages, meant = self.selection.stage or (), _meant(self.selection, self.detection, self.encoder)
        faults = [f"selection.stage: {fault}" for fault in meant.faults(None, stages)]
        late = {"keeper": self.selection.keeper, "regions": self.detection.regions}
        faults += beyond("selection.stage", stages, self.vault.days, late)
        for number, block in enumerate(self.policy, 1):
            days = self.vault.days if block.vault_days is None else block.vault_days
            faults += [f"policy.#{number}: {fault}" for fault in meant.faults(block, self.stages_of(block))]
            faults += beyond(f"policy.#{number}", self.stages_of(block), days, late | block.overrides)
        return list(dict.fromkeys(faults))

    def stages_of(self, block: PolicyBlock) -> tuple[StageBlock, ...]:
        """Those of a policy, or else those for every path; none for what is excluded."""
        if block.exclude:
            return ()
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
        overridden = self.model_copy(update={"selection": selection, "policy": policy})
        if faults := overridden._faults():  # noqa: SLF001 - of its own kind; to copy is not to validate
            raise UsageError(listed("what was asked for", faults))
        return overridden


def _faults(block: PolicyBlock, info: ValidationInfo) -> Iterator[str]:
    """What makes no sense in a block together with what stands in other sections."""
    if watch := info.data.get("watch"):
        names = NameFilter(watch.include, watch.ignore)
        yield from (fault for pattern in block.match if (fault := fault_of_match(pattern, watch.roots, names)))
    if {"selection", "detection", "encoder"} <= info.data.keys():
        meant = _meant(info.data["selection"], info.data["detection"], info.data["encoder"])
        yield from meant.faults(block, ())


def _meant(selection: Selection, detection: Detection, encoder: Encoder) -> Meant:
    return Meant(
        *(detection.rule, detection.region_rule, selection.ladder, selection.floor_quality),
        *(selection.search, encoder.subsampling),
    )
