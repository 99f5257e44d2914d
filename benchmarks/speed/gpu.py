"""One GPU: looks a second of the model alone at its best batch, and pictures a second of a T1K sweep.

usage: python -m benchmarks.speed.gpu [--count N]

The pictures are made here (album.py, each distinct by a comment), the model is the packaged one: no network is needed.
Without a GPU it says so and measures nothing.
"""

import argparse
import os
import time
from typing import Final

import torch
from PIL import Image

from benchmarks.speed import album
from benchmarks.speed.rows import begin, told
from benchmarks.speed.site import Site, Swept, made
from benchmarks.torture.drawing import unique
from framekeep.models.catalogue import ModelChoice
from framekeep.models.classifier import open_classifier

_MODEL: Final = "tf_efficientnet_lite0"
_BATCHES: Final = (16, 32, 64, 128, 256, 512, 1024)
_SECONDS: Final = 3.0
_MEGAPIXELS: Final = 0.2
_NEGATIVES: Final = 100
_CAMERAS: Final = 10


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.gpu")
    parser.add_argument("--count", type=int, default=10_000, help="how many pictures (default: %(default)s)")
    count = parser.parse_args().count
    begin()
    if not torch.cuda.is_available():
        told("T1K sweep on a GPU", "not measured: PyTorch sees no CUDA GPU here", "≥ 1,000 pictures/s")
        return
    rates = {batch: looks_a_second(batch) for batch in _BATCHES}
    best = max(rates, key=lambda batch: rates[batch])
    told(f"looks of {_MODEL} alone on {torch.cuda.get_device_name()}", f"{rates[best]:,.0f}/s, batch {best}", "-")
    _tell(swept(count, best), rates[best])


def looks_a_second(batch: int) -> float:
    """Of prepared pictures, as the pipeline asks for them."""
    model = open_classifier(ModelChoice(_MODEL), "cuda", batch)
    prepared = [model.prepare(Image.linear_gradient("L").rotate(turn)) for turn in range(batch)]
    model.look(prepared)
    began, looks = time.monotonic(), 0
    while time.monotonic() - began < _SECONDS:
        looks += len(model.look(prepared))
    return looks / (time.monotonic() - began)


def swept(count: int, batch: int) -> Swept:
    with made(selection={"device": "cuda", "batch": batch, "keeper": "t1k"}) as site:
        _fill(site, count)
        return site.sweep()


def _fill(site: Site, count: int) -> None:
    negatives = [album.picture(seed, _MEGAPIXELS) for seed in range(_NEGATIVES)]
    for camera in range(_CAMERAS):
        (site.root / f"camera{camera}").mkdir()
    for number in range(count):
        path = site.root / f"camera{number % _CAMERAS}" / f"{number:06}.jpg"
        path.write_bytes(unique(negatives[number % _NEGATIVES], b"%d" % number))


def _tell(sweep: Swept, alone: float) -> None:
    rate, cores = 1 / sweep.seconds, len(os.sched_getaffinity(0))
    told(f"T1K sweep of {_MEGAPIXELS} Mpx pictures, {cores} cores", f"{rate:,.0f} pictures/s", "≥ 1,000 pictures/s")
    told("its looks, of those of the model alone", f"{rate * sweep.looks / alone:.0%}", "≥ 60%")


if __name__ == "__main__":
    main()
