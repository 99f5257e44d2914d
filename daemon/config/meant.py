"""What a choice has to go with: what a policy or a stage leaves out is as it is else, and together it makes sense."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from daemon.config.ladders import check_floor, check_regions, check_search, check_subsampling
from daemon.config.staging import Choice, StageBlock
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import Ladder
from framekeep.regions.rule import RegionRule


@dataclass(frozen=True, slots=True)
class Meant:
    """What holds, as far as parts of it depend on each other."""

    objects: ObjectRule
    regions: RegionRule
    ladder: Ladder
    floor_quality: int
    search: str
    subsampling: str

    def by(self, choice: Choice) -> "Meant":
        """What holds where a choice changes this. Raises ValueError where that makes no sense."""
        objects = choice.rule(self.objects)
        floor_quality = self.floor_quality if choice.floor_quality is None else choice.floor_quality
        ladder = choice.ladder or self.ladder
        check_floor(ladder, floor_quality)
        check_search(ladder, self.search)
        check_subsampling(ladder, self.subsampling)
        regions = choice.region_rule(self.regions, objects)
        check_regions(ladder.above(floor_quality), regions.regions)
        return replace(self, objects=objects, regions=regions, ladder=ladder, floor_quality=floor_quality)

    def faults(self, choice: Choice | None, stages: Sequence[StageBlock]) -> Iterator[str]:
        """What makes no sense in a choice, or else in the stages that follow it."""
        try:
            meant = self.by(choice) if choice else self
        except ValueError as error:
            yield str(error)
            return
        for stage in stages:
            try:
                meant.by(stage)
            except ValueError as error:
                yield f"the stage from {stage.from_days:g} days: {error}"
