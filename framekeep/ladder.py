"""Rungs and ladders: the encoders and JPEG quality factors at which a picture is tried."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

PAPER: Final = tuple(range(100, 9, -10))
"""The paper's ladder (section 2.2): 100, 90 … 10."""
_FINE: Final = tuple(range(96, 9, -2))

PLAIN: Final = "plain"
"""Pillow's encoder."""
MOZJPEG: Final = {"m0": 0, "m3": 3, "m5": 5, "m8": 8}
"""MozJPEG's encoder with trellis quantisation: by the name of each, the number of the quantisation tables it scales."""
_OF_MOZJPEG: Final = (*range(96, 40, -2), *range(40, 4, -1))
"""Its steps are finer where files are small: one step of quality is 4% of the bytes there."""

EXACT: Final = "exact"
"""The quality of objects that stay as the camera delivered them."""

_LOWEST, _HIGHEST = 1, 100


@dataclass(frozen=True, slots=True)
class Rung:
    """One JPEG quality factor of one encoder: the whole frame's or, where `objects` have their own, the background's.

    What a factor means is different with each encoder.
    """

    quality: int
    encoder: str = PLAIN
    objects: Literal["exact"] | int | None = None

    @property
    def name(self) -> str:
        """Such as q10, q10m3, q60+q10 or exact+q10."""
        own = f"q{self.quality}" if self.encoder == PLAIN else f"q{self.quality}{self.encoder}"
        if self.objects is None:
            return own
        return f"{EXACT if self.objects == EXACT else f'q{self.objects}'}+{own}"


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs by falling quality, of one encoder after the other.

    Where there is one encoder, variant 0 is the original and variant j (1…n) the picture at `rungs[j - 1]`. A mixed
    ladder is ordered anew for each picture, by the encoded sizes: see framekeep/order.py.
    """

    name: str
    rungs: tuple[Rung, ...]

    def __len__(self) -> int:
        return len(self.rungs)

    @property
    def is_mixed(self) -> bool:
        return any(rung.encoder != PLAIN for rung in self.rungs)

    def of(self, encoder: str) -> tuple[Rung, ...]:
        """One encoder's rungs."""
        return tuple(rung for rung in self.rungs if rung.encoder == encoder)

    def from_quality(self, lowest: int) -> tuple[Rung, ...]:
        """The rungs but for plain ones below a QF: others' factors say nothing about what they look like."""
        return tuple(rung for rung in self.rungs if rung.encoder != PLAIN or rung.quality >= lowest)

    def above(self, floor: int) -> "Ladder":
        """This ladder without what is below a floor. Raises ValueError where nothing plain is left."""
        if not any(rung.quality >= floor for rung in self.of(PLAIN)):
            raise ValueError(f"a floor of {floor} is above the whole ladder {self.name}: no rung is left to try")
        return replace(self, rungs=self.from_quality(floor))


def _plain(qualities: Sequence[int]) -> tuple[Rung, ...]:
    return tuple(Rung(quality) for quality in qualities)


_PRESETS: Final = {
    "paper": _plain(PAPER),
    "fine": _plain(_FINE),
    "best": (*_plain(_FINE), *(Rung(quality, encoder) for encoder in MOZJPEG for quality in _OF_MOZJPEG)),
}


def parse_ladder(text: str | Sequence[int]) -> Ladder:
    """A preset's name ("paper", "fine", "best") or quality factors ("90,50,10" or [90, 50, 10]), in any order.

    Raises ValueError with a sentence for anything else.
    """
    if isinstance(text, str):
        if text in _PRESETS:
            return Ladder(text, _PRESETS[text])
        text = _split(text)
    qualities = sorted(set(text), reverse=True)
    if not qualities:
        raise ValueError("a ladder needs at least one quality factor")
    if qualities[0] > _HIGHEST or qualities[-1] < _LOWEST:
        raise ValueError(f"quality factors run from {_LOWEST} to {_HIGHEST}, not {qualities[-1]} to {qualities[0]}")
    return Ladder(",".join(map(str, qualities)), _plain(qualities))


def _split(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        presets = ", ".join(_PRESETS)
        raise ValueError(
            f"{text!r} is neither a ladder's name ({presets}) nor quality factors such as 90,50,10"
        ) from None
