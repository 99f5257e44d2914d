"""A picture's variants: what is shown to the DNN, and what is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL.Image import Image

from framekeep.jpeg.codec import decode, encode, same_pixels, shows
from framekeep.jpeg.metadata import carry
from framekeep.jpeg.source import Original
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import Rung
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import Region

if TYPE_CHECKING:
    from framekeep.regions.shrinking import Shrunk

_EMPTY: Final = 1.75 / 64
"""The most bytes a pixel that fixed Huffman tables spend on blocks of one colour: 6 bits in luma, 4 in each chroma.
The best tables spend next to nothing on them, so a camera's picture of the night is squeezed to a fraction."""
_LEAST_SQUEEZED: Final = 0.6
"""Of a file's bytes beyond those. No camera's file that was measured was left with less (docs/performance.md)."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """How variants are encoded: chroma subsampling ("4:2:0"), and whether what is written is progressive."""

    subsampling: str
    progressive: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """A picture re-encoded at a rung: a whole file with the original's metadata, not yet squeezed."""

    rung: Rung
    data: bytes
    reason: Reason = Reason.QUALIFIED
    """Why it is kept, if it is."""
    regions: tuple[Region, ...] = ()
    """Whose pixels have a quality of their own."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is to stand at the path. `rung` is None where the original's pixels stay."""

    data: bytes
    rung: Rung | None
    reason: Reason
    regions: tuple[Region, ...] = ()


def around(original: Original, shrunk: "Shrunk", rung: Rung) -> Variant:
    """The variant at a rung whose objects have a quality of their own."""
    return Variant(rung, carry(shrunk.coding, original, same_coding=False), regions=shrunk.regions)


def climb(original: Original, image: Image, rung: Rung, encoder: Encoder, *, optimize: bool = False) -> Variant:
    """The variant at a rung; `image` is the decoded original. optimize: see `encode`."""
    coding = encode(image, rung, encoder.subsampling, optimize=optimize)
    return Variant(rung, carry(coding, original, same_coding=False))


def squeezed_variant(original: Original, chosen: Variant, pixels: Image, encoder: Encoder) -> Written:
    """The choice as it is to be written; `pixels` are those that it decodes to. Raises Kept where they would change."""
    if encoder.progressive:
        coding = squeeze(chosen.data)
    elif chosen.rung.objects is not None:  # has the best tables already
        coding = chosen.data
    else:  # the squeezer only writes progressive files; the same encoder with better tables keeps the coefficients
        coding = encode(decode(original.data), chosen.rung, encoder.subsampling, optimize=True)
    data = carry(coding, original, same_coding=False)
    if not shows(data, pixels):
        raise Kept(Reason.ERROR, "squeezing changed the pixels, so nothing was written")
    return Written(data, chosen.rung, chosen.reason, chosen.regions)


def worth_squeezing(original: Original, variant: Written | None) -> bool:
    """Whether the squeezed original may be as small as the squeezed choice; if not, nobody need wait for it."""
    return variant is None or len(variant.data) > _LEAST_SQUEEZED * beyond_empty_blocks(original)


def beyond_empty_blocks(original: Original) -> float:
    """The bytes of a file that fixed Huffman tables need not have spent on blocks of one colour; may be negative."""
    return len(original.data) - _EMPTY * original.width * original.height


def settle_on(original: Original, squeezed: bytes | None, variant: Written | None, min_saving: float) -> Written:
    """What to write: the squeezed choice, or the squeezed original if that is no larger or nothing was chosen.

    `squeezed` is the original's coding, repacked (None: that cannot be done). Raises Kept where nothing saves
    `min_saving`, a fraction, of the original.
    """
    if squeezed is not None and not (worth_squeezing(original, variant) and same_pixels(squeezed, original.data)):
        squeezed = None
    candidates = []
    if squeezed is not None:
        candidates.append(Written(carry(squeezed, original, same_coding=True), None, Reason.SQUEEZED))
    if variant is not None:
        candidates.append(variant)
    written = min(candidates, key=lambda candidate: len(candidate.data), default=None)
    if written is None or not _saves(written, original, min_saving):
        raise Kept(Reason.WOULD_NOT_SHRINK)
    return written


def _saves(written: Written, original: Original, min_saving: float) -> bool:
    before, after = len(original.data), len(written.data)
    return after < before and before - after >= min_saving * before
