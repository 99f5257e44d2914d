"""Bad inputs: JPEGs cut off, with bits turned over, or spliced from pieces of each other. All follow from the seed."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.torture.drawing import drawn

STEP: Final = 97
"""Bytes between two truncations."""
SHARED: Final = Path(__file__).parents[2] / ".." / "shared"
_LARGEST: Final = 60_000
"""Bytes of a measuring picture that is spoiled: larger ones only cost time."""


def sound() -> list[bytes]:
    """Small pictures of every common coding, and some of a camera's where the measuring pictures are at hand."""
    codings: list[dict[str, object]] = [
        {},
        {"progressive": True},
        {"optimize": True},
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"restart_marker_blocks": 2},
        {"progressive": True, "restart_marker_rows": 1},
        {"comment": b"a comment" * 5},
        {"dpi": (72, 72)},
    ]
    sizes = [(64, 48), (33, 17), (8, 8), (1, 1), (150, 20)]
    made = itertools.product(enumerate(codings), sizes, (60, 92))
    drawings = [drawn(seed, size, quality, **coding) for (seed, coding), size, quality in made]
    return [*drawings, *(path.read_bytes() for path in _small_pictures())]


def hostile() -> list[bytes]:
    """Files that broke decoders; none where they are not at hand."""
    return [path.read_bytes() for path in sorted((SHARED / "hostile").rglob("*")) if path.is_file()]


def _small_pictures() -> Iterator[Path]:
    found = [*(SHARED / "images").glob("*"), *(SHARED / "camera").rglob("*.jp*g")]
    yield from itertools.islice((path for path in sorted(found) if 0 < path.stat().st_size < _LARGEST), 12)


def truncations(pictures: Sequence[bytes]) -> Iterator[bytes]:
    """Each picture cut off at every 97th byte."""
    for picture in pictures:
        for end in range(0, len(picture), STEP):
            yield picture[:end]


def spoiled(pictures: Sequence[bytes], chance: random.Random) -> Iterator[bytes]:
    """For ever, by all means in turn."""
    for means in itertools.cycle(_MEANS):
        yield means(pictures, chance)


def _flipped(pictures: Sequence[bytes], chance: random.Random) -> bytes:
    """One to eight bits turned over."""
    data = bytearray(chance.choice(pictures))
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _flipped_header(pictures: Sequence[bytes], chance: random.Random) -> bytes:
    """One bit within the first segments, where sizes, tables and components stand."""
    data = bytearray(chance.choice(pictures))
    data[chance.randrange(min(700, len(data)))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _spliced(pictures: Sequence[bytes], chance: random.Random) -> bytes:
    """The beginning of one and the end of another."""
    one, other = chance.choice(pictures), chance.choice(pictures)
    return one[: chance.randrange(len(one))] + other[chance.randrange(len(other)) :]


def _patched(pictures: Sequence[bytes], chance: random.Random) -> bytes:
    """A piece of another within, in place of as much or between."""
    one, other = chance.choice(pictures), chance.choice(pictures)
    start, begin = chance.randrange(len(one)), chance.randrange(len(other))
    piece = other[begin : begin + chance.randint(1, 200)]
    return one[:start] + piece + one[start + chance.choice([0, len(piece)]) :]


def _blanked(pictures: Sequence[bytes], chance: random.Random) -> bytes:
    """A stretch of zeros or of FF, as a disk or a line leaves it."""
    picture = chance.choice(pictures)
    start, length = chance.randrange(len(picture)), chance.randint(1, 300)
    return picture[:start] + chance.choice([b"\0", b"\xff"]) * length + picture[start + length :]


def _resegmented(pictures: Sequence[bytes], chance: random.Random) -> bytes:
    """A marker changed, or a segment's length."""
    data = bytearray(chance.choice(pictures))
    places = [index for index in range(len(data) - 3) if data[index] == 0xFF and data[index + 1] not in (0, 0xFF)]
    place = chance.choice(places) if places else 0
    data[place + chance.randint(1, 3)] = chance.randrange(256)
    return bytes(data)


_MEANS: Final[tuple[Callable[[Sequence[bytes], random.Random], bytes], ...]] = (
    *(_flipped, _flipped_header, _spliced),
    *(_patched, _blanked, _resegmented),
)
