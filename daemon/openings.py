"""Openings of the breaker, as people are told of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from storage.ledger.breakers import Opening
from storage.names import printable
from storage.records import Place


def sentence(opening: Opening) -> str:
    """What is open, why, and what to do."""
    return (
        f"nothing is replaced in {printable(name_of(opening))} since {opening.at:%Y-%m-%d %H:%M} UTC "
        f"({opening.cause}): see what changed, then framekeep resume"
    )


def name_of(opening: Opening) -> str:
    """The camera's or the root's path."""
    return f"{opening.root}/{opening.camera}" if opening.camera else opening.root


def opened_in(openings: Sequence[Opening], targets: Sequence[Place]) -> list[Opening]:
    """Those openings that bear on some places; a place's path may be a camera's folder, or "" for all of a root."""
    return [opening for opening in openings if any(_bears_on(opening, target) for target in targets)]


def _bears_on(opening: Opening, target: Place) -> bool:
    inside = target.path == "" or opening.camera in (None, target.path, target.camera)
    return opening.root == target.root and inside


def facts_of(opening: Opening) -> Mapping[str, Any]:
    """An opening in JSON's words."""
    camera = printable(opening.camera) if opening.camera else None
    return {"root": printable(opening.root), "camera": camera, "cause": opening.cause, "at": opening.at.isoformat()}
