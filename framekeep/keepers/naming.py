"""From a keeper's configured name to the keeper."""

from collections.abc import Sequence
from typing import Final

from framekeep.keepers.base import All, Keeper
from framekeep.keepers.labels import MARGIN, HighestRank, LabelKeeper
from framekeep.keepers.objects import ObjectKeeper, ObjectRule

_COUNTS: Final = {"t1k": 1, "t5k": 5}
_OBJECTS: Final = "objects"
_BASIC: Final = (*_COUNTS, _OBJECTS)
_COMPOSED: Final = {"ttk": ("t1k", "t5k")}

HRS: Final = "hrs"
NAMES: Final = (*_COUNTS, *_COMPOSED, _OBJECTS, HRS)
"""Every keeper that can be configured."""


def canonical(names: str | Sequence[str]) -> tuple[str, ...]:
    """The basic keepers of "ttk", "t1k,t5k" or ["t5k", "t1k"]: each once, in a fixed order.

    Raises ValueError with a sentence for an unknown name, for none, and for HRS with others.
    """
    words = [word.strip().lower() for word in (names.split(",") if isinstance(names, str) else names)]
    if HRS in words and len(set(words)) > 1:
        raise ValueError("hrs stands alone: it asks for the known label, whatever the model sees")
    unknown = [word for word in words if word not in NAMES]
    if unknown or not words:
        raise ValueError(f"unknown keeper {', '.join(map(repr, unknown)) or '(none)'}; known are {', '.join(NAMES)}")
    basic = {name for word in words for name in _COMPOSED.get(word, (word,))}
    return tuple(name for name in (*_BASIC, HRS) if name in basic)


def compares_objects(keeper: str) -> bool:
    """Whether a keeper of these canonical names, between commas, needs a detector."""
    return _OBJECTS in keeper.split(",")


def compares_labels(keeper: str) -> bool:
    """Whether a keeper of these canonical names, between commas, needs a classifier."""
    return any(name in (*_COUNTS, HRS) for name in keeper.split(","))


def keeper_of(
    names: str | Sequence[str],
    min_confidence: float = 0.0,
    objects: ObjectRule | None = None,
    *,
    margin: float = MARGIN,
) -> Keeper:
    """The keeper of these names; several hold together (TTK is T1K and T5K). `objects` None: its defaults.

    HRS is that of class 0: each picture has one of its own, with the label that is known of it.
    """

    def made(name: str) -> Keeper:
        if name == HRS:
            return HighestRank(0)
        if name == _OBJECTS:
            return ObjectKeeper(objects or ObjectRule(), margin)
        return LabelKeeper(name, _COUNTS[name], min_confidence, margin)

    keepers = tuple(made(name) for name in canonical(names))
    return keepers[0] if len(keepers) == 1 else All(keepers)
