"""What search = "quick" saves and what it costs where cameras are fixed: looks, time and bytes, against the exact one.

usage: python -m benchmarks.speed.quick DIR [--keeper NAME]

DIR holds a folder a camera, with its frames in the order of their names. Every other frame is swept first, so that the
ledger knows the cameras; what is told is of the frames between these.
"""

import argparse
import shutil
from pathlib import Path

from benchmarks.speed.rows import begin, told
from benchmarks.speed.site import Site, Swept, made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.quick")
    parser.add_argument("pictures", type=Path, metavar="DIR")
    parser.add_argument("--keeper", default="ttk")
    given = parser.parse_args()
    begin()
    exact, quick = (_swept(given.pictures, given.keeper, search) for search in ("exact", "quick"))
    what = f'`{given.keeper}`, search = "quick", of {given.pictures.name} against the exact search'
    told(f"{what}: looks a picture", f"{quick.looks:.1f} instead of {exact.looks:.1f}", "-")
    told(f"{what}: time", f"{exact.seconds / quick.seconds:.2f} times faster", "-")
    told(f"{what}: bytes", f"{quick.summary['bytes_after'] / exact.summary['bytes_after']:.3f} of its bytes", "-")


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
