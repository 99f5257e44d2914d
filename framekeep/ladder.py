"""Rungs and ladders: the JPEG quality factors at which a picture is tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

PAPER: Final = tuple(range(100, 9, -10))
"""The paper's ladder (section 2.2): 100, 90 … 10."""

EXACT: Final = "exact"
"""The quality of objects that stay as the camera delivered them."""

_PRESETS: Final = {"paper": PAPER}
_LOWEST, _HIGHEST = 1, 100


@dataclass(frozen=True, slots=True)
class Rung:
    """One JPEG quality factor: the whole frame's or, where `objects` have a quality of their own, the background's."""

    quality: int
    objects: Literal["exact"] | int | None = None

    @property
    def name(self) -> str:
        """Such as q10, q60+q10 or exact+q10."""
        if self.objects is None:
            return f"q{self.quality}"
        return f"{EXACT if self.objects == EXACT else f'q{self.objects}'}+q{self.quality}"


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs by falling quality. Variant 0 is the original; variant j (1…n) is the picture at `rungs[j - 1]`."""

    name: str
    rungs: tuple[Rung, ...]

    def __len__(self) -> int:
        return len(self.rungs)

    def from_quality(self, lowest: int) -> tuple[Rung, ...]:
        """The rungs that are not below a QF."""
        return tuple(rung for rung in self.rungs if rung.quality >= lowest)


def parse_ladder(text: str | Sequence[int]) -> Ladder:
    """A preset's name ("paper") or quality factors ("90,50,10" or [90, 50, 10]), in any order.

    Raises ValueError with a sentence for anything else.
    """
    if isinstance(text, str):
        if text in _PRESETS:
            return Ladder(text, tuple(Rung(quality) for quality in _PRESETS[text]))
        text = _split(text)
    qualities = sorted(set(text), reverse=True)
    if not qualities:
        raise ValueError("a ladder needs at least one quality factor")
    if qualities[0] > _HIGHEST or qualities[-1] < _LOWEST:
        raise ValueError(f"quality factors run from {_LOWEST} to {_HIGHEST}, not {qualities[-1]} to {qualities[0]}")
    return Ladder(",".join(map(str, qualities)), tuple(Rung(quality) for quality in qualities))


def _split(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        presets = ", ".join(_PRESETS)
        raise ValueError(
            f"{text!r} is neither a ladder's name ({presets}) nor quality factors such as 90,50,10"
        ) from None
