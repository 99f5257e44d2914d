"""What to do, in plain words, from the shares of pictures in which anything is recognised. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MUCH: Final = 0.5
"""Of the pictures: where labels are recognised in so many, they say what the archive shows."""
SOME: Final = 0.02
"""Where objects are found in less, the detector has next to nothing to keep."""


class Advice(StrEnum):
    """Which keeper the archive asks for."""

    OBJECTS = "objects"
    LABELS = "labels"
    BOTH = "both"
    DETECTOR = "detector"
    """One is needed before anything can be said of objects."""
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Recommendation:
    advice: Advice
    sentence: str


def recommend(labels: float, objects: float | None) -> Recommendation:
    """From the shares of pictures with a recognised label and with a found object, None where no detector looked."""
    advice = _advice(labels, objects)
    seen = f"your classifier recognises something in {labels:.0%} of these pictures"
    found = "" if objects is None else f"your detector finds something in {objects:.0%}"
    return Recommendation(advice, _SENTENCES[advice].format(seen=seen, found=found))


def _advice(labels: float, objects: float | None) -> Advice:
    if objects is None:
        return Advice.LABELS if labels >= MUCH else Advice.DETECTOR
    if labels >= MUCH:
        return Advice.BOTH if objects >= SOME else Advice.LABELS
    return Advice.OBJECTS if objects >= SOME else Advice.NEITHER


_LOOKED_AT: Final = '; where people look at the pictures too, keep the objects as they are (regions = "exact")'
_SENTENCES: Final = {
    Advice.OBJECTS: '{seen} and {found}: keep objects, not labels (keeper = "objects")' + _LOOKED_AT,
    Advice.LABELS: '{seen}: keep labels, with min_confidence = 0.3 (keeper = "ttk")',
    Advice.BOTH: '{seen} and {found}: keep both, with min_confidence = 0.3 (keeper = ["t1k", "objects"])' + _LOOKED_AT,
    Advice.DETECTOR: "{seen}: labels are mostly noise in them, so install a detector and ask again",
    Advice.NEITHER: (
        "{seen} and {found}: neither model knows what they show, so nothing would be kept but looks; "
        "take a model that does, or leave the low rungs out of the ladder"
    ),
}
