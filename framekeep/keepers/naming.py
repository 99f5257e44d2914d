"""From a keeper's configured name to the keeper."""

from collections.abc import Sequence
from typing import Final

from framekeep.keepers.base import All, Keeper
from framekeep.keepers.labels import MARGIN, LabelKeeper
from framekeep.keepers.objects import ObjectKeeper, ObjectRule

_COUNTS: Final = {"t1k": 1, "t5k": 5}
_OBJECTS: Final = "objects"
_BASIC: Final = (*_COUNTS, _OBJECTS)
_COMPOSED: Final = {"ttk": ("t1k", "t5k")}

NAMES: Final = (*_COUNTS, *_COMPOSED, _OBJECTS)
"""Every keeper that can be configured. HRS cannot: it needs a known label, which a camera's picture has not."""


def canonical(names: str | Sequence[str]) -> tuple[str, ...]:
    """The basic keepers of "ttk", "t1k,t5k" or ["t5k", "t1k"]: each once, in a fixed order.

    Raises ValueError with a sentence for an unknown name, for none, and for HRS.
    """
    words = [word.strip().lower() for word in (names.split(",") if isinstance(names, str) else names)]
    if "hrs" in words:
        raise ValueError("hrs needs the known label of each picture, which a camera's picture does not have")
    unknown = [word for word in words if word not in NAMES]
    if unknown or not words:
        raise ValueError(f"unknown keeper {', '.join(map(repr, unknown)) or '(none)'}; known are {', '.join(NAMES)}")
    basic = {name for word in words for name in _COMPOSED.get(word, (word,))}
    return tuple(name for name in _BASIC if name in basic)


def compares_objects(keeper: str) -> bool:
    """Whether a keeper of these canonical names, between commas, needs a detector."""
    return _OBJECTS in keeper.split(",")


def compares_labels(keeper: str) -> bool:
    """Whether a keeper of these canonical names, between commas, needs a classifier."""
    return any(name in _COUNTS for name in keeper.split(","))


def keeper_of(
    names: str | Sequence[str],
    min_confidence: float = 0.0,
    objects: ObjectRule | None = None,
    *,
    margin: float = MARGIN,
) -> Keeper:
    """The keeper of these names; several hold together (TTK is T1K and T5K). `objects` None: its defaults."""

    def made(name: str) -> Keeper:
        if name == _OBJECTS:
            return ObjectKeeper(objects or ObjectRule(), margin)
        return LabelKeeper(name, _COUNTS[name], min_confidence, margin)

    keepers = tuple(made(name) for name in canonical(names))
    return keepers[0] if len(keepers) == 1 else All(keepers)
