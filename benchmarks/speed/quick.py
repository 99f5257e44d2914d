"""What search = "quick" saves and what it costs where cameras are fixed: against the paper's way and the exact search.

usage: python -m benchmarks.speed.quick [DIR] [--keeper NAME] [--rounds N]

DIR holds a folder a camera, with its frames in the order of their names; without it they are made (album.py). Every
other frame is swept first, so that the ledger knows the cameras; what is told is of the frames between these. Of each
figure the middle round's counts.
"""

import argparse
import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.speed import album
from benchmarks.speed.rows import begin, median, told
from benchmarks.speed.running import papers_way
from benchmarks.speed.site import Site, Swept, made

_COUNT: Final = 480
_MEGAPIXELS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Round:
    """The same frames in three ways."""

    paper: float
    """Seconds a picture."""
    exact: Swept
    quick: Swept


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.quick")
    parser.add_argument("pictures", nargs="?", type=Path, metavar="DIR")
    parser.add_argument("--keeper", default="ttk", choices=("t1k", "t5k", "ttk"))
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    begin()
    with nullcontext(given.pictures) if given.pictures else album.made(_COUNT, _MEGAPIXELS, fixed=True) as pictures:
        _tell(pictures, given.keeper, given.rounds)


def _tell(pictures: Path, keeper: str, count: int) -> None:
    rounds = [_round(pictures, keeper) for _ in range(count)]
    what = f'`{keeper}`, search = "quick", frames of fixed cameras'
    quick = median(one.paper / one.quick.seconds for one in rounds)
    exact = median(one.paper / one.exact.seconds for one in rounds)
    told(f"{what}, against the paper's way", f"{quick:.1f} times (the exact search: {exact:.1f})", "≥ 10 times")
    fewer, more = (median(getattr(one, way).looks for one in rounds) for way in ("quick", "exact"))
    told(f"{what}: looks a picture", f"{fewer:.1f} instead of {more:.1f}", "-")
    left = median(one.quick.summary["bytes_after"] / one.exact.summary["bytes_after"] for one in rounds)
    told(f"{what}: bytes", f"{left:.3f} of the exact search's", "-")


def _round(pictures: Path, keeper: str) -> Round:
    with made() as site:
        _deliver(site, pictures, first=1)
        paper = papers_way(site.root)
    exact, quick = (_swept(pictures, keeper, search) for search in ("exact", "quick"))
    return Round(paper["seconds"] / paper["pictures"], exact, quick)


def _swept(pictures: Path, keeper: str, search: str) -> Swept:
    with made(selection={"keeper": keeper, "search": search}) as site:
        _deliver(site, pictures, first=0)
        site.sweep()
        _deliver(site, pictures, first=1)
        return site.sweep()


def _deliver(site: Site, pictures: Path, first: int) -> None:
    """Every other frame of each camera. What was swept before goes, so that it is not counted again."""
    for camera in sorted(folder for folder in pictures.iterdir() if folder.is_dir()):
        target = site.root / camera.name
        target.mkdir(exist_ok=True)
        for done in target.iterdir():
            done.unlink()
        for frame in sorted(file for file in camera.iterdir() if file.is_file())[first::2]:
            shutil.copy(frame, target)


if __name__ == "__main__":
    main()
