"""What MozJPEG's quantisation tables and options are worth at the floor: from this the ladder "best" was chosen.

usage: python -m benchmarks.encoders DIR [EVERY]    EVERY: only each so-many-th picture

For each picture and each way to encode, the lowest quality factor is sought at which the picture looks no worse than
plain Pillow's QF 10 makes it (framekeep/floor.py); then the squeezed bytes are summed, as a share of plain Pillow's at
QF 10. Last come the best sets of ways, where each picture takes the smallest of its set. Prints Markdown.
"""

import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from PIL.Image import Image

from benchmarks.ratios import SUFFIXES, print_row
from framekeep.floor import Floor
from framekeep.jpeg import mozjpeg
from framekeep.jpeg.codec import decode, encode
from framekeep.jpeg.source import Limits, understand
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import Rung
from framekeep.reasons import Kept

FLOOR: Final = 10
LIMITS: Final = Limits(2**26, 10**8)
TRELLIS: Final = {"trellis_quant": True, "overshoot_deringing": True}
WAYS: Final[Mapping[str, Mapping[str, int]]] = {
    **{f"m{tables}": {**TRELLIS, "quant_table": tables} for tables in range(9)},
    "m0, no deringing": {"trellis_quant": True},
    "m0, no trellis": {"overshoot_deringing": True},
    "m3, no trellis": {"overshoot_deringing": True, "quant_table": 3},
    "m0, progressive": {**TRELLIS, "interlace": True},
}
PLAIN: Final = "plain"


def main(folder: Path, every: int) -> None:
    measured = [one for path in pictures(folder)[::every] for one in sizes(path)]
    whole = sum(one[PLAIN] for one in measured)
    print(f"{len(measured)} pictures of `{folder.name}`:\n")
    print_row(("encoder", "bytes at the floor"))
    print_row(("---", "---"))
    for way in WAYS:
        print_row((way, f"{sum(one[way] for one in measured) / whole:.3f}"))
    for count in (1, 2, 3, 4, 9):
        share, chosen = min(
            (sum(min(one[way] for way in (PLAIN, *chosen)) for one in measured) / whole, chosen)
            for chosen in itertools.combinations([f"m{tables}" for tables in range(9)], count)
        )
        print_row((f"the smallest of plain, {', '.join(chosen)}", f"{share:.3f}"))


def pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def sizes(path: Path) -> Iterator[dict[str, int]]:
    """Squeezed bytes by way; nothing for what is not touched."""
    data = path.read_bytes()
    try:
        understand(data, LIMITS)
    except Kept:
        return
    image = decode(data)
    floor = Floor.of(image, FLOOR, "4:2:0")
    plain = len(squeeze(encode(image, Rung(FLOOR), "4:2:0")))
    yield {PLAIN: plain} | {way: at_floor(image, floor, options) for way, options in WAYS.items()}


def at_floor(image: Image, floor: Floor, options: Mapping[str, int]) -> int:
    low, high = 4, 60
    while low < high:
        middle = (low + high) // 2
        if floor.holds(saved(image, middle, options)):
            high = middle
        else:
            low = middle + 1
    return len(squeeze(saved(image, low, options)))


def saved(image: Image, quality: int, options: Mapping[str, int]) -> bytes:
    return mozjpeg._saved(image, quality, "4:2:0", **options)  # noqa: SLF001 - options that no ladder has


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 1)
