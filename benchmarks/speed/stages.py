"""What each stage of some pictures' lives costs by itself: one process, one core, processor time.

usage: python -m benchmarks.speed.stages DIR DECISIONS

DECISIONS: a JSON object of the qualities (null: the original) that a sweep chose, by path below DIR; the stages are
those that a lazy search must go through to end there. Prints JSON: seconds and runs of each stage, over all pictures.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from PIL import Image

from benchmarks.speed.site import rungs_seen
from daemon.config.schema import Selection
from framekeep.jpeg.codec import decode, encode
from framekeep.jpeg.squeeze import squeeze
from framekeep.models.base import Model, Prepared
from framekeep.models.catalogue import ModelChoice

P = ParamSpec("P")
R = TypeVar("R")

STAGES: Final = ("decode", "encode", "transform", "look", "squeeze", "write")
_SUBSAMPLING: Final = "4:2:0"


@dataclass(frozen=True, slots=True)
class Cost:
    """Adds up seconds and runs by stage."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    runs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))

    def of(self, stage: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        began = time.process_time()
        done = work(*args, **kwargs)
        self.seconds[stage] += time.process_time() - began
        self.runs[stage] += 1
        return done


def main(folder: Path, decisions: Path) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before any runtime counts the cores
    from framekeep.models.classifier import open_classifier  # noqa: PLC0415 - so not before this
    from framekeep.models.transform import TRIAL_THREADS  # noqa: PLC0415 - as above

    selection = Selection.model_validate({})
    model = open_classifier(ModelChoice(selection.model), "cpu", selection.batch)
    for thread in threading.enumerate():
        if thread.name.startswith(TRIAL_THREADS):
            thread.join()  # what a start does beside itself is no stage
    model.look([model.prepare(Image.new("RGB", (64, 48)))] * selection.batch)
    cost, qualities = Cost(), json.loads(decisions.read_text())
    _look(cost, model, list(_lives(cost, model, folder, qualities)), selection.batch)
    print(json.dumps({"pictures": len(qualities), "seconds": cost.seconds, "runs": cost.runs}))


def _lives(cost: Cost, model: Model, folder: Path, qualities: Mapping[str, int | None]) -> Iterator[Prepared]:
    """What the model is to see."""
    for path, quality in qualities.items():
        yield from _life(cost, model, (folder / path).read_bytes(), quality)


def _life(cost: Cost, model: Model, data: bytes, quality: int | None) -> Iterator[Prepared]:
    image, variant = cost.of("decode", decode, data), data
    yield cost.of("transform", model.prepare, image)
    for rung in rungs_seen(quality):
        variant = cost.of("encode", encode, image, rung, _SUBSAMPLING)
        if len(variant) < len(data):
            yield cost.of("transform", model.prepare, cost.of("decode", decode, variant))
    cost.of("write", _write, cost.of("squeeze", squeeze, variant))


def _write(data: bytes) -> None:
    """Durably, though the wait for the disk is nobody's processor time."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _look(cost: Cost, model: Model, prepared: Sequence[Prepared], batch: int) -> None:
    """In batches as the pipeline makes them; a run is a picture."""
    for start in range(0, len(prepared), batch):
        seen = cost.of("look", model.look, prepared[start : start + batch])
        cost.runs["look"] += len(seen) - 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
