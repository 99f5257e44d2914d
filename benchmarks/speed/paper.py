"""The paper's way: exhaustive, eager PyTorch in fp32, the original and its ten variants of a picture as one batch.

usage: python -m benchmarks.speed.paper DIR [DETECTOR]

Prints JSON: pictures, seconds and processor seconds, without the start. With a detector's name that looks instead.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform

from framekeep.ladder import PAPER
from framekeep.models.catalogue import ModelChoice
from framekeep.models.detectors.catalogue import DetectorChoice
from framekeep.models.detectors.opening import open_detector
from framekeep.models.network import load_network

Looking = Callable[[Sequence[Image.Image]], object]


def main(folder: Path, detector: str | None = None) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    look = detecting(detector) if detector else classifying()
    look([Image.new("RGB", (64, 48))] * (1 + len(PAPER)))
    began, processor = time.perf_counter(), time.process_time()
    for path in paths:
        look(variants(path.read_bytes()))
    seconds, spent = time.perf_counter() - began, time.process_time() - processor
    print(json.dumps({"pictures": len(paths), "seconds": seconds, "processor": spent}))


def variants(data: bytes) -> list[Image.Image]:
    """Pixels of the original and of every variant."""
    original = Image.open(io.BytesIO(data)).convert("RGB")
    seen = [original]
    for quality in PAPER:
        file = io.BytesIO()
        original.save(file, "JPEG", quality=quality)
        seen.append(Image.open(file).convert("RGB"))
    return seen


def classifying() -> Looking:
    module = load_network(ModelChoice("tf_efficientnet_lite0")).module
    transform = create_transform(**resolve_model_data_config(module), is_training=False)  # type: ignore[no-untyped-call]  # as timm has it

    def look(images: Sequence[Image.Image]) -> object:
        with torch.inference_mode():
            return module(torch.stack([transform(image) for image in images])).argsort(dim=1, descending=True)

    return look


def detecting(name: str) -> Looking:
    model = open_detector(DetectorChoice(name), "cpu", 1 + len(PAPER))
    return lambda images: model.look([model.prepare(image) for image in images])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
