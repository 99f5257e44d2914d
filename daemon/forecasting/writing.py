"""What a sweep would write in the place of one picture: made once for each variant that is chosen, never written."""

from dataclasses import dataclass

from daemon.forecasting.timing import alone
from daemon.stages import Stages
from framekeep.jpeg.codec import decode
from framekeep.jpeg.source import Original
from framekeep.ladder import Rung
from framekeep.reasons import Kept
from framekeep.variants import Encoder, Variant, Written, settle_on, squeezed_variant, worth_squeezing


@dataclass(frozen=True, slots=True)
class Result:
    """The fraction of the picture's bytes that is left, and the seconds that it takes to make that."""

    left: float
    seconds: float


class Writing:
    """Of one picture."""

    def __init__(self, stages: Stages, original: Original, encoder: Encoder, min_saving: float) -> None:
        self._stages = stages
        self._original = original
        self._encoder = encoder
        self._min_saving = min_saving
        self._results: dict[tuple[Rung, int] | None, Result] = {}
        """By the rung and the bytes: a mixed ladder has Huffman tables of its own."""
        self._squeezed: tuple[bytes | None, float] | None = None

    async def of(self, chosen: Variant | None) -> Result:
        """What comes of a choice; None: the original."""
        which = (chosen.rung, len(chosen.data)) if chosen else None
        if which not in self._results:
            self._results[which] = await self._settled(chosen)
        return self._results[which]

    async def _settled(self, chosen: Variant | None) -> Result:
        variant, seconds = None, 0.0
        try:
            if chosen:
                pixels = await self._stages.codec(decode, chosen.data)
                making = self._stages.codec(squeezed_variant, self._original, chosen, pixels, self._encoder)
                variant, seconds = await alone(making)
            squeezed, squeezing = await self._squeezed_original(variant)
            seconds += squeezing
            settling = self._stages.codec(settle_on, self._original, squeezed, variant, self._min_saving)
            written, settled = await alone(settling)
        except Kept:
            return Result(1.0, seconds)
        return Result(len(written.data) / len(self._original.data), seconds + settled)

    async def _squeezed_original(self, variant: Written | None) -> tuple[bytes | None, float]:
        """And the seconds it takes; nothing where a sweep does not do it."""
        if not (self._encoder.progressive and worth_squeezing(self._original, variant)):
            return None, 0.0
        if self._squeezed is None:
            self._squeezed = await alone(self._stages.squeeze(self._original.data))
        return self._squeezed
