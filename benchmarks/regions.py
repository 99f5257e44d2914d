"""Compression ratios where a frame's objects have a quality of their own, by camera. Prints Markdown.

usage: python -m benchmarks.regions DIR…

Real sweeps of copies of each folder with the installed command, as benchmarks/objects.py does them. Then what becomes
of a background alone, with nothing protected, beside the whole frame that Pillow's encoder makes at the same QF: how
many times smaller than the original both are, squeezed, and their PSNR against it.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from benchmarks.objects import swept
from benchmarks.ratios import print_row
from framekeep.jpeg.codec import decode, encode, encoder_versions
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import EXACT, Rung
from framekeep.reasons import Kept
from framekeep.regions.coefficients import ImpossibleError
from framekeep.regions.shrinking import shrink_around

DETECTOR: Final = "oid_ssd"
REGIONS: Final[tuple[str | int, ...]] = ("off", "exact", 60)
QUALITIES: Final = (50, 30, 10)


def main(folders: Iterable[Path]) -> None:
    print(encoder_versions())
    for folder in folders:
        cameras = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        _print_ratios(folder, cameras)
        _print_backgrounds(folder)


def _print_ratios(folder: Path, cameras: list[str]) -> None:
    columns = ("regions", "all", *cameras, "looks a picture")
    print(f"\n`{folder.name}`, {DETECTOR}:\n")
    print_row(columns)
    print_row("---" for _ in columns)
    for regions in REGIONS:
        told = swept(folder, cameras, {"model": DETECTOR, "regions": regions}, {"keeper": "objects"})
        print_row((str(regions), *(told.ratio(camera) for camera in (None, *cameras)), f"{told.looks:.1f}"))


def _print_backgrounds(folder: Path) -> None:
    columns = ("QF", "background: times smaller", "PSNR", "whole frame: times smaller", "PSNR")
    print(f"\n`{folder.name}`, the background alone:\n")
    print_row(columns)
    print_row("---" for _ in columns)
    files = [path.read_bytes() for path in sorted(folder.rglob("*.jp*g"))]
    for quality in QUALITIES:
        rows = np.array([row for data in files if (row := _compared(data, quality))])
        before, background, whole = rows[:, :3].sum(axis=0)
        likeness, of_whole = rows[:, 3:].mean(axis=0)
        print_row(
            (str(quality), f"{before / background:.2f}", f"{likeness:.2f}", f"{before / whole:.2f}", f"{of_whole:.2f}")
        )


def _compared(data: bytes, quality: int) -> tuple[float, ...] | None:
    """Bytes of original, background and whole frame, and the PSNR of the two; None where that is no picture."""
    try:
        image = decode(data)
        background = squeeze(shrink_around(data, (), Rung(quality, objects=EXACT), "4:2:0").coding)
    except (ImpossibleError, Kept):
        return None
    whole = squeeze(encode(image, Rung(quality), "4:2:0"))
    return len(data), len(background), len(whole), _psnr(image, background), _psnr(image, whole)


def _psnr(image: Image.Image, coding: bytes) -> float:
    error = np.mean((np.asarray(image, dtype=float) - np.asarray(decode(coding), dtype=float)) ** 2)
    return float(10 * np.log10(255**2 / error))


if __name__ == "__main__":
    main([Path(argument).resolve() for argument in sys.argv[1:]])
