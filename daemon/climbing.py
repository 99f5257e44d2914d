"""From an original to its variants, and to what the model is to see of each."""

from dataclasses import dataclass

from PIL.Image import Image

from daemon.rules import Rules
from daemon.stages import Stages
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Original
from framekeep.ladder import EXACT, Ladder, Rung
from framekeep.models.base import Model, Prepared
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import Region
from framekeep.regions.shrinking import same_inside, shrink_around
from framekeep.variants import Variant, around, climb


@dataclass(frozen=True, slots=True)
class Climbing:
    """One picture on its way up a ladder: the decoded original, and its regions that stay apart."""

    original: Original
    image: Image
    regions: tuple[Region, ...]

    def ladder(self, rules: Rules) -> Ladder:
        """The rungs of this very picture."""
        return rules.regions.pairs(rules.ladder) if self.regions else rules.ladder

    async def to(self, rung: Rung, stages: Stages, rules: Rules) -> tuple[Variant, Prepared | None]:
        """The variant at a rung, and what the model is to see of it: nothing where it is no smaller than the original.

        Raises ImpossibleError where regions cannot be coded apart, Kept where that ends a process.
        """
        if rung.objects is None:
            return await stages.codec(self._whole, rung, rules)
        shrunk = await stages.apart(shrink_around, self.original.data, self.regions, rung)
        return await stages.codec(self._prepared, around(self.original, shrunk, rung), rules.model)

    def _whole(self, rung: Rung, rules: Rules) -> tuple[Variant, Prepared | None]:
        return self._prepared(climb(self.original, self.image, rung, rules.encoder), rules.model)

    def _prepared(self, variant: Variant, model: Model) -> tuple[Variant, Prepared | None]:
        if len(variant.data) >= len(self.original.data):
            return variant, None
        decoded = decode(variant.data)
        if variant.rung.objects == EXACT and not same_inside(self.image, decoded, variant.regions):
            raise Kept(Reason.ERROR, "its objects' pixels would not be the same")
        return variant, model.prepare(decoded)
