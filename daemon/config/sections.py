"""The sections of a configuration that stand for themselves: keys, defaults and bounds."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from daemon.config.section import Section
from daemon.config.values import AbsolutePath, Days, LedgerUrl, NamePatterns, TimeZone, zone_of
from storage.time_rules import TimeRules


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
    nice: Annotated[int, Field(le=19)] = 0
    megabytes_per_second: Annotated[float, Field(ge=0)] = 0

    @field_validator("nice")
    @classmethod
    def leaves_to_others(cls, niceness: int) -> int:
        if niceness < 0:
            raise ValueError("should be 0 to 19: pictures can wait, so framekeep asks for no more than others have")
        return niceness
