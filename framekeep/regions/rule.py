"""Which parts of a picture stay as the camera delivered them: the regions of its objects."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, replace
from typing import Final, Literal

from framekeep.evidence import Detections
from framekeep.keepers.labels import MARGIN
from framekeep.ladder import EXACT, PLAIN, Ladder, Rung


@dataclass(frozen=True, slots=True)
class RegionRule:
    """What an administrator decides about regions."""

    regions: Literal["off", "exact"] | int = "off"
    """The objects' quality: a QF, or as the camera delivered them."""
    regions_margin: float = 0.05
    """What is added to each side of an object's box, as a share of its width or height."""
    regions_min_score: float = 0.4
    """The lowest score that protects an object."""
    regions_classes: tuple[str, ...] = ()
    """The class names that are protected; none: all."""

    def __str__(self) -> str:
        """As the ledger keeps it: equal for equal rules, and empty where nothing is asked."""
        return "" if self.regions == "off" else json.dumps(asdict(self))

    def pairs(self, ladder: Ladder) -> Ladder:
        """The rungs of a frame with objects: pairs below their quality, the whole frame from there on."""
        return replace(ladder, rungs=tuple(map(self._rung, ladder.of(PLAIN))))

    def _rung(self, rung: Rung) -> Rung:
        if self.regions == "off" or (self.regions != EXACT and rung.quality >= self.regions):
            return rung
        return replace(rung, objects=self.regions)


OFF: Final = RegionRule()


@dataclass(frozen=True, slots=True)
class Region:
    """An object with its margin, in pixels of the picture as it is encoded; right and bottom are excluded."""

    label: str
    score: float
    left: int
    top: int
    right: int
    bottom: int
    digest: str = ""
    """Of the coefficients in its blocks, once they are known."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom


def regions_in(detections: Detections | None, rule: RegionRule, size: tuple[int, int]) -> tuple[Region, ...]:
    """What is protected in a picture of a width and a height; nothing where nothing is asked or found."""
    if rule.regions == "off" or detections is None:
        return ()
    rows = zip(detections.labels, detections.scores.tolist(), detections.boxes.tolist(), strict=True)
    return tuple(
        _grown(label, score, box, rule.regions_margin, size)
        for label, score, box in rows
        if score >= rule.regions_min_score - MARGIN and (not rule.regions_classes or label in rule.regions_classes)
    )


def _grown(label: str, score: float, box: list[float], margin: float, size: tuple[int, int]) -> Region:
    left, top, right, bottom = box
    across, down = margin * (right - left), margin * (bottom - top)
    (width, height) = size
    return Region(
        label,
        float(f"{score:.7g}"),
        max(0, math.floor(left - across)),
        max(0, math.floor(top - down)),
        min(width, math.ceil(right + across)),
        min(height, math.ceil(bottom + down)),
    )


def written(regions: Iterable[Region]) -> str:
    """As the ledger keeps them: a list of [label, score, left, top, right, bottom, digest]."""
    return json.dumps([astuple(region) for region in regions], ensure_ascii=False, separators=(",", ":"))


def regions_of(words: str) -> tuple[Region, ...]:
    """What `written` wrote."""
    return tuple(Region(*row) for row in json.loads(words))
