"""The trunk's features of pictures, made once and kept on disk, for as long as all of the trunk is frozen."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from framekeep.errors import UsageError
from framekeep.jpeg.codec import encoder_versions
from framekeep.models.classifier import Classifier
from study.passing.counting import ENCODER
from study.topology.module import Topology
from study.topology.pictures import Picture, Readable, View, in_groups
from study.topology.processes import World

TOGETHER: Final = 16
"""Pictures that go through the trunk at once, each with its variants."""
_TO_DO, _DONE, _UNREADABLE = 0, 1, 2

Told = Callable[[int], None]
"""Is told how many pictures are done."""


@dataclass(frozen=True)
class Looking:
    """Who looks at pictures: the network of record, the topology over it, and the processes that share the work."""

    model: Classifier
    view: View
    topology: Topology
    world: World
    workers: int
    """Processes that decode and encode for this one; 0: it does so itself."""


class Features(Dataset[tuple[torch.Tensor, int]]):
    """Features, shape (n+1, features), and label of pictures; `rows` has those of all that are on disk."""

    def __init__(self, rows: NDArray[np.float32], places: Mapping[Picture, int]) -> None:
        self._rows = rows
        self._places = places
        self.pictures: tuple[Picture, ...] = tuple(places)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, int]:
        picture = self.pictures[k]
        return torch.from_numpy(self._rows[self._places[picture]].copy()), picture.label

    def of(self, pictures: Iterable[Picture]) -> "Features":
        """Those of some of the pictures, but for what could not be read. Raises UsageError where nothing is left."""
        places = {picture: self._places[picture] for picture in pictures if picture in self._places}
        if not places:
            raise UsageError("none of the pictures can be read: neither training nor validation can do without any")
        return Features(self._rows, places)


def features_of(pictures: Sequence[Picture], looking: Looking, folder: Path, told: Told) -> Features:
    """Makes what is not in the folder yet, so that an interruption costs a few pictures, and opens all of it.

    Raises UsageError where the folder cannot be written.
    """
    pictures = sorted(pictures, key=lambda picture: picture.path)  # however they are split, the features are the same
    name = _fingerprint(pictures, looking)
    try:
        if looking.world.leads:
            _begin(folder, name, (len(pictures), looking.view.inputs, looking.topology.head.features))
        looking.world.wait()
        _fill(pictures, looking, _opened(folder, name, "r+"), told)
    except OSError as error:
        raise UsageError(f"the features {folder} cannot be written: {error.strerror}") from error
    looking.world.wait()
    rows, states = _opened(folder, name, "r")
    return Features(rows, {pictures[k]: k for k in np.flatnonzero(states == _DONE).tolist()})


def _begin(folder: Path, name: str, shape: tuple[int, int, int]) -> None:
    """Two empty files, sparse on disk. The states come last: where they are, both are whole."""
    rows, states = _paths(folder, name)
    if states.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    np.lib.format.open_memmap(rows, "w+", np.float32, shape).flush()
    partial = states.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, np.full(shape[0], _TO_DO, np.uint8))
    partial.rename(states)


def _opened(folder: Path, name: str, mode: str) -> tuple[np.memmap, np.memmap]:
    rows, states = (np.lib.format.open_memmap(path, mode) for path in _paths(folder, name))
    return rows, states


def _paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}-features.npy", folder / f"{name}-states.npy"


def _fill(
    pictures: Sequence[Picture],
    looking: Looking,
    opened: tuple[np.memmap, np.memmap],
    told: Told,
) -> None:
    rows, states = opened
    mine = looking.world.share(np.flatnonzero(states == _TO_DO).tolist())
    done = len(pictures) - len(mine)
    groups = [mine[k : k + TOGETHER] for k in range(0, len(mine), TOGETHER)]
    for met in in_groups(Readable(looking.view, pictures), groups, looking.workers):
        seen = [(k, pixels) for k, pixels in met if pixels is not None]
        if seen:
            rows[[k for k, _ in seen]] = _look(looking, torch.stack([pixels for _, pixels in seen]))
            rows.flush()
        for k, pixels in met:
            states[k] = _UNREADABLE if pixels is None else _DONE
        states.flush()
        done += len(met)
        told(done)


def _look(looking: Looking, pixels: torch.Tensor) -> NDArray[np.float32]:
    with torch.inference_mode():
        features: NDArray[np.float32] = looking.topology.eval().features(pixels.to(looking.world.device)).cpu().numpy()
    return features


def _fingerprint(pictures: Sequence[Picture], looking: Looking) -> str:
    """Of all that features depend on; of the pictures' content what the file system tells."""
    model = looking.model
    qualities = [rung.quality for rung in looking.view.ladder.rungs]
    conditions = [model.name, model.digest, model.transform, qualities, encoder_versions(), ENCODER.subsampling]
    digest = hashlib.sha256(json.dumps(conditions).encode())
    for picture in pictures:
        status = picture.path.stat()
        digest.update(
            f"{picture.path}\0{status.st_size}\0{status.st_mtime_ns}\0{picture.label}\n".encode(
                errors="surrogateescape"
            )
        )
    return digest.hexdigest()[:16]
