"""The section [detection]: which detector, and what holds for objects."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from daemon.config.section import Section, describing_weights
from daemon.config.values import AbsolutePath, ClassNames, Margin, Objects, Quality, Score, Sha256
from framekeep.keepers.objects import ObjectRule
from framekeep.models.detectors.catalogue import SCORE_FLOOR
from framekeep.regions.rule import RegionRule

_ROUNDING: Final = 1e-9
OutputPlace = Annotated[str, Field(min_length=1)] | Annotated[int, Field(ge=0)]
Triple = Annotated[tuple[float, float, float], Field(strict=False)]
Side = Annotated[int, Field(ge=1, le=8192)]


class DetectorOutput(Section):
    """How a detector of the owner's gives its boxes, in the words of framekeep/models/detectors/conventions.py."""

    boxes: OutputPlace
    scores: OutputPlace
    classes: OutputPlace
    box_order: Literal["ltrb", "tlbr", "cxcywh"] = "ltrb"
    box_scale: Literal["unit", "input", "picture"] = "unit"
    class_offset: int = 0


class DetectorInput(Section):
    """How it wants a picture."""

    layout: Literal["nhwc", "nchw"] = "nhwc"
    channels: Literal["rgb", "bgr"] = "rgb"
    values: Literal["0..255", "0..1", "-1..1"] = "0..255"
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    resize: Annotated[tuple[Side, Side], Field(strict=False)] | None = None


Described = str | Path | DetectorOutput | None


class Detection(Section):
    model: Annotated[str, Field(min_length=1)] = "pedestrian_ssdlite"
    weights: AbsolutePath | None = None
    weights_sha256: Sha256 | None = None
    labels: AbsolutePath | None = None
    output: DetectorOutput | None = None
    input: DetectorInput | None = None
    min_score: Score = 0.5
    slack: Annotated[float, Field(ge=0, lt=1)] = 0.1
    iou: Annotated[float, Field(gt=0, le=0.95)] = 0.5
    classes: ClassNames = ()
    lost_only: bool = False
    quality_when_found: Quality = 0
    regions: Objects = "off"
    regions_margin: Margin = 0.05
    regions_min_score: Score = 0.4
    regions_classes: ClassNames = ()

    @field_validator("weights_sha256", "labels", "output")
    @classmethod
    def describes_weights(cls, given: Described, info: ValidationInfo) -> Described:
        return describing_weights(given, info)

    @field_validator("input")
    @classmethod
    def goes_with_output(cls, given: DetectorInput | None, info: ValidationInfo) -> DetectorInput | None:
        if given is not None and info.data.get("output", given) is None:
            raise ValueError("describes a detector of your own, which needs [detection.output] too")
        return given

    @model_validator(mode="after")
    def makes_sense(self) -> Self:
        with_doubtful(self.region_rule, self.rule)  # both refuse what makes no sense together
        return self

    @property
    def rule(self) -> ObjectRule:
        """What holds for objects where no policy says otherwise."""
        return with_evidence(ObjectRule(**{field.name: getattr(self, field.name) for field in fields(ObjectRule)}))

    @property
    def region_rule(self) -> RegionRule:
        """What holds for regions where no policy says otherwise."""
        return RegionRule(**{field.name: getattr(self, field.name) for field in fields(RegionRule)})


def with_doubtful(regions: RegionRule, objects: ObjectRule) -> RegionRule:
    """The rule, if it protects all that must be kept, and detectors tell of all that it protects. Raises ValueError."""
    least = regions.regions_min_score
    if regions.regions != "off" and not SCORE_FLOOR - _ROUNDING <= least <= objects.min_score + _ROUNDING:
        raise ValueError(
            f"regions_min_score should be between {SCORE_FLOOR:g} and min_score ({objects.min_score:g}), but is "
            f"{least:g}: what must be kept has to be protected too"
        )
    return regions


def with_evidence(rule: ObjectRule) -> ObjectRule:
    """The rule, if detectors tell of all that it compares. Raises ValueError."""
    if rule.min_score - rule.slack < SCORE_FLOOR - _ROUNDING:
        raise ValueError(
            f"min_score - slack should be at least {SCORE_FLOOR:g}, but is {rule.min_score - rule.slack:g}: "
            "what a detector is less sure of is no evidence"
        )
    return rule
