"""From an original to its variants, and to what the model is to see of each."""

from dataclasses import dataclass
from typing import Protocol, Self

from PIL.Image import Image

from daemon.stages import Stages
from framekeep.floor import Floor
from framekeep.jpeg.codec import decode
from framekeep.ladder import EXACT, Ladder
from framekeep.models.base import Prepared
from framekeep.order import Order, Subject, order_of
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import Region
from framekeep.regions.shrinking import same_inside, shrink_around
from framekeep.variants import Variant, around


@dataclass(frozen=True, slots=True)
class Climbed:
    """A variant, the pixels that it decodes to, and what the model is to see of them."""

    variant: Variant
    pixels: Image
    prepared: Prepared


class Preparing(Protocol):
    """As much of a model as a climb needs."""

    def prepare(self, image: Image) -> Prepared: ...


@dataclass(frozen=True, slots=True)
class Climbing:
    """One picture on its way up a ladder. Where there are `regions` they stay apart, and `floor` is theirs to keep."""

    subject: Subject
    ladder: Ladder
    order: Order
    regions: tuple[Region, ...]
    floor: Floor | None

    @classmethod
    async def begun(
        cls, stages: Stages, subject: Subject, ladder: Ladder, lowest: int, regions: tuple[Region, ...] = ()
    ) -> Self:
        """Nothing may look worse than plain Pillow's QF `lowest`; `ladder` is one of pairs where there are regions."""
        order = order_of(subject, ladder, lowest)
        floor = None
        if regions:
            floor = await stages.codec(Floor.of, subject.image, lowest, subject.encoder.subsampling)
        return cls(subject, ladder, order, regions, floor)

    async def to(self, j: int, stages: Stages, model: Preparing) -> Climbed | None:
        """None where there is no such variant that may be looked at.

        Raises ImpossibleError where regions cannot be coded apart, Kept where that ends a process.
        """
        rung = self.ladder.rungs[j - 1]
        if rung.objects is None:
            return await stages.codec(self._whole, j, model)
        subsampling = self.subject.encoder.subsampling
        shrunk = await stages.apart(shrink_around, self.subject.original.data, self.regions, rung, subsampling)
        return await stages.codec(self._apart, around(self.subject.original, shrunk, rung), model)

    def _whole(self, j: int, model: Preparing) -> Climbed | None:
        variant = self.order.variant(j)
        if variant is None:
            return None
        pixels = decode(variant.data)
        return Climbed(variant, pixels, model.prepare(pixels))

    def _apart(self, variant: Variant, model: Preparing) -> Climbed | None:
        is_smaller = len(variant.data) < len(self.subject.original.data)
        if not is_smaller or not (self.floor and self.floor.holds(variant.data)):
            return None
        pixels = decode(variant.data)
        if variant.rung.objects == EXACT and not same_inside(self.subject.image, pixels, variant.regions):
            raise Kept(Reason.ERROR, "its objects' pixels would not be the same")
        return Climbed(variant, pixels, model.prepare(pixels))
