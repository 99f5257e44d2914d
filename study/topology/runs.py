"""A run's folder: what was asked for, the pictures, the curve, the checkpoints."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from framekeep.errors import UsageError
from framekeep.models.catalogue import ModelChoice
from study.topology.pictures import Picture
from study.topology.recipe import Epoch, Recipe

_RUN: Final = "run.json"
_PICTURES: Final = "pictures.csv"


@dataclass(frozen=True)
class Run:
    """What was asked for, and what it was done with."""

    model: str
    digest: str
    weights: str | None
    transform: str
    ladder: str
    encoder: str
    recipe: Recipe

    @property
    def choice(self) -> ModelChoice:
        """The same network again, and no other."""
        return ModelChoice(self.model, Path(self.weights) if self.weights else None, self.digest)


@dataclass(frozen=True)
class Parts:
    """The pictures of a run."""

    training: tuple[Picture, ...]
    validation: tuple[Picture, ...]


def begin(folder: Path, run: Run, parts: Parts) -> None:
    """Writes down what was asked for; where something was before, it has to be the same.

    Raises UsageError where it is another, and where the folder cannot be written.
    """
    if (folder / _RUN).exists():
        _compare(folder, run, parts)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_pictures(folder / _PICTURES, parts)
        (folder / _RUN).write_text(json.dumps(asdict(run), indent=2) + "\n")
    except OSError as error:
        raise UsageError(f"the run {folder} cannot be written: {error.strerror}") from error


def read_run(folder: Path) -> Run:
    """Raises UsageError for a folder that holds none."""
    try:
        written = json.loads((folder / _RUN).read_text())
        return Run(**written | {"recipe": Recipe(**written["recipe"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{folder} holds no run of framekeep study train: {error}") from error


def read_pictures(folder: Path) -> Parts:
    """Raises UsageError for a folder that holds none."""
    found: dict[str, list[Picture]] = {"training": [], "validation": []}
    try:
        with (folder / _PICTURES).open(newline="", errors="surrogateescape") as lines:
            for part, label, path in csv.reader(lines):
                found[part].append(Picture(Path(path), int(label)))
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{folder} does not say which pictures it was trained with: {error}") from error
    return Parts(tuple(found["training"]), tuple(found["validation"]))


def write_curve(folder: Path, curve: Sequence[Epoch]) -> None:
    """curve.csv. Raises UsageError where there is no room for it."""
    names = [field.name for field in fields(Epoch)]
    try:
        with (folder / "curve.csv").open("w", newline="") as lines:
            rows = csv.DictWriter(lines, names, lineterminator="\n")
            rows.writeheader()
            rows.writerows(asdict(epoch) for epoch in curve)
    except OSError as error:
        raise UsageError(f"the curve in {folder} cannot be written: {error.strerror}") from error


def _write_pictures(path: Path, parts: Parts) -> None:
    with path.open("w", newline="", errors="surrogateescape") as lines:
        rows = csv.writer(lines, lineterminator="\n")
        for part, pictures in (("training", parts.training), ("validation", parts.validation)):
            rows.writerows((part, picture.label, picture.path) for picture in pictures)


def _compare(folder: Path, run: Run, parts: Parts) -> None:
    before: dict[str, Any] = asdict(read_run(folder))
    others = [name for name, value in asdict(run).items() if before[name] != value]
    if read_pictures(folder) != parts:
        others.append("pictures")
    if others:
        raise UsageError(f"{folder} holds a run with another {', another '.join(others)}: give --out a new folder")
