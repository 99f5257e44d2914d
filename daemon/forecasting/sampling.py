"""Which pictures of an archive are looked at, and in which order. Pure: of a picture only its name and size are known.

A picture's turn comes at a random time, the earlier the larger it is: exponentially distributed, at a rate of its
bytes. So the first n turns are n draws without putting back, each in proportion to bytes, whatever n turns out to be.
Bytes are what a ratio is about: drawn like this, the few large pictures of an archive cannot be missed by bad luck.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

LEAST: Final = 4
"""Pictures that are looked at in each stratum before any has more, if it has as many."""

_ROOM: Final = 200_000
"""Pictures that are remembered by name, of all cameras together: far more than anybody waits for."""
_FEW: Final = 20
_SMALL: Final = 0.04
"""Of the archive's bytes: cameras with less than that share a stratum, so that a city needs no more pictures."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A picture and the time of its turn. `tree` numbers the folder that `path` is relative to."""

    time: float
    tree: int
    path: str
    bytes: int
    camera: str


@dataclass
class Camera:
    """What a camera has delivered: how much in all, and which of it have the earliest turns."""

    name: str
    pictures: int = 0
    bytes: int = 0
    end: float = math.inf
    """The earliest turn that was forgotten: up to there the order is known."""
    _latest: list[tuple[float, Turn]] = field(default_factory=list)
    """A heap with the latest turn on top."""

    @property
    def turns(self) -> list[Turn]:
        return [turn for _, turn in self._latest]

    def add(self, turn: Turn, room: int) -> None:
        """Remembers no more than `room` turns."""
        self.pictures += 1
        self.bytes += turn.bytes
        heapq.heappush(self._latest, (-turn.time, turn))
        while len(self._latest) > room:
            self.end = min(self.end, heapq.heappop(self._latest)[1].time)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Cameras that are drawn from together: one, or all that are small. `turns` rise in time; `end` as a camera's."""

    pictures: int
    bytes: int
    turns: tuple[Turn, ...]
    end: float

    def following(self, count: int) -> float:
        """When the next turn comes after so many; infinity where they were all."""
        return self.turns[count].time if count < len(self.turns) else self.end


class Archive:
    """All pictures that were found, by camera."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.cameras: dict[str, Camera] = {}
        self.pictures = 0
        self.bytes = 0

    def add(self, camera: str, tree: int, path: str, size: int) -> None:
        """A picture; its size is in bytes. An empty file is only counted: nothing can be said of it."""
        self.pictures += 1
        if size == 0:
            return
        self.bytes += size
        turn = Turn(self._chance.expovariate(size), tree, path, size, camera)
        known = self.cameras.get(camera) or self.cameras.setdefault(camera, Camera(camera))
        known.add(turn, max(_FEW, _ROOM // len(self.cameras)))

    def strata(self) -> list[Stratum]:
        """The largest first."""
        large = [camera for camera in self.cameras.values() if camera.bytes >= _SMALL * self.bytes]
        small = [camera for camera in self.cameras.values() if camera.bytes < _SMALL * self.bytes]
        made = [_stratum(cameras) for cameras in (*([camera] for camera in large), small) if cameras]
        return sorted(made, key=lambda stratum: -stratum.bytes)


def _stratum(cameras: Sequence[Camera]) -> Stratum:
    end = min(camera.end for camera in cameras)
    turns = sorted((turn for camera in cameras for turn in camera.turns if turn.time < end), key=lambda turn: turn.time)
    pictures, size = (sum(counts) for counts in zip(*((c.pictures, c.bytes) for c in cameras), strict=True))
    return Stratum(pictures, size, tuple(turns), end)


def in_order(strata: Sequence[Stratum]) -> Iterator[int]:
    """From which stratum the next picture comes, until all are exhausted: a few from each, then by their bytes.

    What was seen has no say in it: only when to stop depends on that.
    """
    taken = [0] * len(strata)
    while open_ones := [k for k, stratum in enumerate(strata) if taken[k] < len(stratum.turns)]:
        few = [k for k in open_ones if taken[k] < LEAST]
        if few:
            k = min(few, key=lambda k: taken[k])
        else:
            k = max(open_ones, key=lambda k: strata[k].bytes / (2 * taken[k] + 1))
        yield k
        taken[k] += 1
