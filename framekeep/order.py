"""A picture's variants by falling size, as a search numbers them, each encoded when it is asked for.

One encoder's files grow with its quality factor. So a ladder of one encoder is in order as it is, and a mixed ladder's
order is a merge, which encodes no more than it has to: what has been reached, and the next rung of each encoder.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import takewhile
from typing import Final, Protocol

from PIL.Image import Image

from framekeep.floor import Floor
from framekeep.jpeg.source import Original
from framekeep.ladder import PLAIN, Ladder, Rung
from framekeep.reasons import Reason
from framekeep.variants import Encoder, Variant, climb

_MOST_PIXELS: Final = 24_000_000
"""Larger pictures are tried with the plain encoder alone: to begin would take others a good part of `max_seconds`."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What variants are made of: the original, its decoded pixels, and how to encode them."""

    original: Original
    image: Image
    encoder: Encoder

    def climb(self, rung: Rung, *, optimize: bool = False) -> Variant | None:
        """The variant at a rung; None where it is no smaller than the original."""
        variant = climb(self.original, self.image, rung, self.encoder, optimize=optimize)
        return variant if len(variant.data) < len(self.original.data) else None


class Order(Protocol):
    """Variants 1…n by falling size; n counts also those that are never to be had."""

    def __len__(self) -> int: ...

    @property
    def smallest(self) -> Rung | None:
        """The rung of the smallest variant; None where that is not known yet, or there is none."""

    def variant(self, j: int) -> Variant | None:
        """None: it is no smaller than the original, or would look worse than the floor. Takes long."""


def order_of(subject: Subject, ladder: Ladder, lowest: int) -> Order:
    """The order of one picture's variants, none of them worse than plain Pillow's at the QF `lowest`."""
    rungs = ladder.from_quality(lowest)
    return _BySize(subject, rungs, lowest) if ladder.is_mixed else _ByQuality(subject, rungs)


def limited(variant: Variant, order: Order, ladder: Ladder) -> Variant:
    """The choice, which tells of it where only a least QF kept it from falling below that rung."""
    if len(order) == len(ladder) or variant.rung != order.smallest:
        return variant
    return replace(variant, reason=Reason.OBJECTS_FOUND)


class _ByQuality:
    """One encoder's rungs."""

    def __init__(self, subject: Subject, rungs: Sequence[Rung]) -> None:
        self._subject = subject
        self._rungs = rungs

    def __len__(self) -> int:
        return len(self._rungs)

    @property
    def smallest(self) -> Rung | None:
        return self._rungs[-1] if self._rungs else None

    def variant(self, j: int) -> Variant | None:
        return self._subject.climb(self._rungs[j - 1])


class _BySize:
    """Several encoders' rungs. Only the rungs of what was reached are kept, not the bytes."""

    def __init__(self, subject: Subject, rungs: Sequence[Rung], lowest: int) -> None:
        self._subject = subject
        self._count = len(rungs)
        self._upward = _upward(subject, rungs, lowest)
        self._reached: list[Rung] = []
        """Smallest first."""

    def __len__(self) -> int:
        return self._count

    @property
    def smallest(self) -> Rung | None:
        return self._reached[0] if self._reached else None

    def variant(self, j: int) -> Variant | None:
        place = self._count - j
        if place < len(self._reached):
            return self._subject.climb(self._reached[place], optimize=True)
        variant = None
        while place >= len(self._reached):
            variant = next(self._upward, None)
            if variant is None:
                return None
            self._reached.append(variant.rung)
        return variant


def _upward(subject: Subject, rungs: Sequence[Rung], lowest: int) -> Iterator[Variant]:
    """Every variant that may be looked at, smallest first."""
    rising = rungs[::-1]
    if subject.image.width * subject.image.height > _MOST_PIXELS:
        yield from _climbed(subject, [rung for rung in rising if rung.encoder == PLAIN])
        return
    floor = Floor.of(subject.image, lowest, subject.encoder.subsampling)
    encoders = dict.fromkeys(rung.encoder for rung in rungs)
    flights = ([rung for rung in rising if rung.encoder == encoder] for encoder in encoders)
    yield from merge(*(_flight(subject, flight, floor, lowest) for flight in flights), key=_size)


def _size(variant: Variant) -> int:
    return len(variant.data)


def _flight(subject: Subject, rungs: Sequence[Rung], floor: Floor, lowest: int) -> Iterator[Variant]:
    """One encoder's variants, smallest first; `rungs` rise.

    The first that looks good enough may have a higher or a lower QF than the floor has, so it is sought to both sides.
    What follows is compared, too: over a dark background a higher QF does look worse than a lower one now and then.
    """

    def is_good(variant: Variant) -> bool:
        margin = floor.margin(variant.data)
        return margin >= 0 or (math.isnan(margin) and variant.rung.encoder == PLAIN)

    below = [rung for rung in rungs if rung.quality < lowest]
    yield from reversed(list(takewhile(is_good, _climbed(subject, below[::-1]))))
    yield from filter(is_good, _climbed(subject, rungs[len(below) :]))


def _climbed(subject: Subject, rungs: Sequence[Rung]) -> Iterator[Variant]:
    """The variants up to the first that is no smaller than the original, or all of them.

    Their sizes are compared, so each has Huffman tables of its own.
    """
    for rung in rungs:
        variant = subject.climb(rung, optimize=True)
        if variant is None:
            return
        yield variant
