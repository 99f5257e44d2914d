"""The files that say which class a picture is of: a CSV, and ImageNet's ground truth with the devkit's synsets."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from framekeep.errors import UsageError
from study.data.classes import WNID

GROUND_TRUTH: Final = "ILSVRC2012_validation_ground_truth.txt"
_FILE_COLUMNS: Final = ("file", "filename", "path", "image", "picture")
_LABEL_COLUMNS: Final = ("label", "class_index", "class", "wnid", "name", "ground_truth")
_ILSVRC: Final = 1000


def read_csv(path: Path) -> dict[str, str]:
    """From each picture's path, relative to the folder, to its label as written. Raises UsageError.

    The first line names the columns ("file,label"); a file of two columns needs none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"the labels {path} cannot be read: {error}") from error
    if not rows:
        raise UsageError(f"the labels {path} are empty: each line should be a picture's file and its label")
    file, label, has_header = _columns(path, rows[0])
    short = next((row for row in rows if len(row) <= max(file, label)), None)
    if short is not None:
        raise UsageError(f"a line of the labels {path} has no label: {','.join(short)!r}")
    return {row[file]: row[label] for row in rows[has_header:]}


def _columns(path: Path, header: Sequence[str]) -> tuple[int, int, bool]:
    names = [name.casefold() for name in header]
    file = next((names.index(name) for name in _FILE_COLUMNS if name in names), None)
    label = next((names.index(name) for name in _LABEL_COLUMNS if name in names), None)
    if file is not None and label is not None:
        return file, label, True
    if len(names) == 2:  # noqa: PLR2004 - a file and its label
        return 0, 1, file is not None or label is not None
    raise UsageError(f"the labels {path} do not say which column is what: name them in the first line, as file,label")


def read_ground_truth(path: Path, synsets: Path | None) -> dict[int, str]:
    """From each validation picture's number, from 1, to its WNID. Raises UsageError.

    The file has one ILSVRC2012_ID a line. `synsets` (None: what lies beside it) is the devkit's meta.mat, or a text
    file with the 1,000 WNIDs in the order of those ids, which is not the sorted one.
    """
    numbers = _numbers(path)
    wnids = _synsets(synsets or _beside(path))
    wrong = next((number for number in numbers if not 1 <= number <= len(wnids)), None)
    if wrong is not None:
        raise UsageError(f"{path} holds the id {wrong}: ILSVRC2012_IDs run from 1 to {len(wnids)}")
    return {k: wnids[number - 1] for k, number in enumerate(numbers, 1)}


def _numbers(path: Path) -> list[int]:
    try:
        return [int(word) for word in path.read_text(encoding="utf-8-sig").split()]
    except (OSError, ValueError) as error:
        raise UsageError(f"the ground truth {path} cannot be read as one id a line: {error}") from error


def _beside(path: Path) -> Path:
    found = next((path.with_name(name) for name in ("meta.mat", "synsets.txt") if path.with_name(name).is_file()), None)
    if found is None:
        raise UsageError(
            f"{path} counts classes in ILSVRC's own order, which only the devkit tells: put its data/meta.mat beside "
            "the file, or name it with --synsets"
        )
    return found


def _synsets(path: Path) -> list[str]:
    wnids = _from_devkit(path) if path.suffix == ".mat" else _from_text(path)
    if len(wnids) != _ILSVRC or len(set(wnids)) != _ILSVRC or not all(map(WNID.fullmatch, wnids)):
        raise UsageError(f"{path} does not hold ILSVRC2012's {_ILSVRC:,} WNIDs, one a line in the order of their ids")
    if wnids == sorted(wnids):
        raise UsageError(
            f"{path} is sorted by WNID, and ILSVRC2012_IDs are not in that order: give the devkit's data/meta.mat"
        )
    return wnids


def _from_text(path: Path) -> list[str]:
    """The first word of each line: such lists often go on with the names."""
    try:
        return [line.split()[0] for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the synsets {path} cannot be read: {error}") from error


def _from_devkit(path: Path) -> list[str]:
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import

    try:
        synsets = loadmat(str(path), squeeze_me=True)["synsets"]
        known = {int(one["ILSVRC2012_ID"]): str(one["WNID"]) for one in synsets}
        return [known[number] for number in range(1, _ILSVRC + 1)]
    except Exception as error:
        raise UsageError(f"{path} is not the devkit's meta.mat: {error}") from error
