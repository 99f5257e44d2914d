"""Sweeps against the paper's way, on the CPU: how many times faster, start-up counted out, each pair in one run.

usage: python -m benchmarks.speed.against_paper [DIR] [--rounds N]

A round is the paper's way and then sweeps of copies (sweeping.py); the middle round counts. In brackets the same ratio
of processor time, which depends less on what else the machine does, and the looks a picture. Without DIR the pictures
are made (album.py).
"""

import argparse
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.speed import album
from benchmarks.speed.rows import begin, median, told
from benchmarks.speed.running import papers_way
from benchmarks.speed.site import Swept, swept
from framekeep.errors import ModelUnavailableError
from framekeep.models.detectors.catalogue import PEDESTRIAN, DetectorChoice
from framekeep.models.detectors.opening import open_detector

T1K: Final = "t1k"
TTK: Final = "ttk"
OBJECTS: Final = "objects"


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is swept: made ones, or a folder's."""

    name: str
    megapixels: float
    count: int
    targets: Mapping[str, str]
    """By keeper."""


_SMALL: Final = {T1K: "≥ 13 times", TTK: "≥ 5 times", OBJECTS: "≥ 5 times"}
# So many that filling and emptying the pipeline counts for little, as it does in an archive.
MADE: Final = (
    Pictures("0.2 Mpx", 0.2, 240, _SMALL),
    Pictures("6 Mpx", 6, 48, {T1K: "≥ 10 times", TTK: "-"}),
    Pictures("12 Mpx", 12, 32, {T1K: "≥ 10 times", TTK: "-"}),
)


@dataclass(frozen=True, slots=True)
class Round:
    """One pair: what the paper's way takes over what a sweep takes."""

    seconds: float
    processor: float
    looks: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.against_paper")
    parser.add_argument("pictures", nargs="?", type=Path, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    begin()
    for pictures in (Pictures(given.pictures.name, 0, 0, _SMALL),) if given.pictures else MADE:
        lent = nullcontext(given.pictures) if given.pictures else album.made(pictures.count, pictures.megapixels)
        with lent as folder:
            _tell(pictures, [compared(folder, pictures.targets) for _ in range(given.rounds)])


def _tell(pictures: Pictures, rounds: list[dict[str, Round]]) -> None:
    for keeper, target in pictures.targets.items():
        found = [one[keeper] for one in rounds if keeper in one]
        measured = _in_words(found) if found else f"not measured: no {PEDESTRIAN} here"
        told(f"`{keeper}` sweep of {pictures.name} pictures against the paper's way", measured, target)


def has_detector() -> bool:
    try:
        open_detector(DetectorChoice(PEDESTRIAN), "cpu", 1)
    except ModelUnavailableError:
        return False
    return True


def compared(folder: Path, wanted: Iterable[str]) -> dict[str, Round]:
    """One round; what needs a model that is not here is left out."""
    here = [keeper for keeper in wanted if not _needs(keeper) or has_detector()]
    paper = {needs: papers_way(folder, *needs) for needs in {_needs(keeper) for keeper in here}}
    return {keeper: _round(paper[_needs(keeper)], swept(folder, selection={"keeper": keeper})) for keeper in here}


def _needs(keeper: str) -> tuple[str, ...]:
    return (PEDESTRIAN,) if keeper == "objects" else ()


def _round(paper: Mapping[str, float], ours: Swept) -> Round:
    seconds, processor = (paper[name] / paper["pictures"] for name in ("seconds", "processor"))
    return Round(seconds / ours.seconds, processor / ours.processor, ours.looks)


def _in_words(rounds: list[Round]) -> str:
    seconds, processor = (median(getattr(one, name) for one in rounds) for name in ("seconds", "processor"))
    return f"{seconds:.1f} times (processor time: {processor:.1f}; {rounds[0].looks:.1f} looks)"


if __name__ == "__main__":
    main()
