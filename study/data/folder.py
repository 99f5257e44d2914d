"""A folder of labelled pictures, in whichever of the usual layouts it is.

labels.csv                               file,label: an index, a WNID or a name
ILSVRC2012_val_00000001.JPEG …           with ILSVRC2012_validation_ground_truth.txt and the devkit's meta.mat
n01440764_tench.JPEG                     the WNID before the first underscore
n01440764/…, tench/…                     one folder a class
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from framekeep.errors import UsageError
from framekeep.labelling.classes import WNID, Classes
from framekeep.labelling.naming import told_by_name
from framekeep.labelling.written import read_csv
from study.data.documents import GROUND_TRUTH, read_ground_truth

_PICTURE: Final = re.compile(r"\.jpe?g$", re.IGNORECASE)
_NUMBERED: Final = re.compile(r"ILSVRC2012_val_(\d{8})\.", re.IGNORECASE)
_IN_CLASS: Final = re.compile(rf"(?:^|/){WNID.pattern}[_/]")
_DEVKIT: Final = "ILSVRC2012_devkit_t12/data"

_Said = Callable[[str], str | None]
"""What is said about a picture's class, by its path; None: nothing."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture, by its path relative to the folder, and the index of its class in the network."""

    path: str
    label: int


@dataclass(frozen=True)
class DataSet:
    """The labelled pictures of a folder, by path; `missing` have a label but are not there."""

    folder: Path
    layout: str
    """How the labels were found, in a few words."""
    pictures: tuple[Labelled, ...]
    unlabelled: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read_folder(folder: Path, classes: Classes, labels: Path | None = None, synsets: Path | None = None) -> DataSet:
    """The pictures in and below a folder. `labels`: a CSV or the ground truth; None: what the folder itself tells.

    Raises UsageError where there are no pictures, where none has a label, and for a label that is none.
    """
    paths = pictures_in(folder)
    layout, said, listed = _source(classes, labels or _document(folder, paths), synsets)
    found = {path: said(path) for path in paths}
    pictures = tuple(Labelled(path, _index(classes, path, label)) for path, label in found.items() if label is not None)
    if not pictures:
        raise UsageError(
            f"no picture in {folder} has a label: name them WNID_name.JPEG, give each class a folder, or give a file "
            "with --labels (file,label)"
        )
    unlabelled = tuple(path for path, label in found.items() if label is None)
    return DataSet(folder, layout, pictures, unlabelled, tuple(sorted(listed - found.keys())))


def pictures_in(folder: Path) -> list[str]:
    """The paths of the pictures in and below a folder, sorted and relative to it.

    Raises UsageError where there are none.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name the one that holds the pictures")
    paths = sorted(_pictures(folder))
    if not paths:
        raise UsageError(f"{folder} holds no pictures: files whose names end in .jpg or .jpeg")
    return paths


def _pictures(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        base = Path(place).relative_to(folder)
        yield from (str(base / name) for name in names if _PICTURE.search(name) and not name.startswith("."))


def _source(classes: Classes, labels: Path | None, synsets: Path | None) -> tuple[str, _Said, set[str]]:
    """The layout, who says the labels, and the pictures that should be there."""
    if labels is None:
        return "names of files and folders", lambda path: told_by_name(classes, path), set()
    if labels.suffix != ".txt":
        written = read_csv(labels)
        return f"labels of {labels.name}", written.get, set(written)
    numbered = read_ground_truth(labels, synsets)
    return f"labels of {labels.name}", lambda path: _told_by_number(numbered, path), set()


def _document(folder: Path, paths: Sequence[str]) -> Path | None:
    """The file of labels that lies where it usually does."""
    places = (folder, folder / _DEVKIT, folder.parent, folder.parent / _DEVKIT)
    by_number = any(map(_NUMBERED.search, paths)) and not any(map(_IN_CLASS.search, paths))
    numbered = [place / GROUND_TRUTH for place in places] if by_number else []
    return next((path for path in (folder / "labels.csv", *numbered) if path.is_file()), None)


def _told_by_number(numbered: Mapping[int, str], path: str) -> str | None:
    found = _NUMBERED.search(path)
    return numbered.get(int(found[1])) if found else None


def _index(classes: Classes, path: str, label: str) -> int:
    try:
        return classes.index(label)
    except ValueError as error:
        raise UsageError(f"the label of {path} is not usable: {error}") from error
