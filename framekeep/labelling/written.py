"""Which class each picture is of, as somebody wrote it into a CSV file."""

import csv
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from framekeep.errors import UsageError

_FILE_COLUMNS: Final = ("file", "filename", "path", "image", "picture")
_LABEL_COLUMNS: Final = ("label", "class_index", "class", "wnid", "name", "ground_truth")


def read_csv(path: Path) -> dict[str, str]:
    """From each picture's path, relative to the folder, to its label as written. Raises UsageError.

    The first line names the columns ("file,label"); a file of two columns needs none.
    """
    lines = _lines(path)
    if not lines:
        raise UsageError(f"the labels {path} are empty: each line should be a picture's file and its label")
    file, label, has_header = _columns(path, lines[0][1])
    told: dict[str, str] = {}
    for number, cells in lines[has_header:]:
        if len(cells) <= max(file, label) or not (cells[file] and cells[label]):
            raise UsageError(f"line {number} of the labels {path} lacks a file or its label: {','.join(cells)!r}")
        name = str(PurePosixPath(cells[file]))
        if told.setdefault(name, cells[label]) != cells[label]:
            raise UsageError(
                f"line {number} of the labels {path} calls {name!r} {cells[label]!r}, an earlier one {told[name]!r}"
            )
    return told


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of each line that has any, with its number from 1."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"the labels {path} cannot be read: {why}") from error
    return [(number, cells) for number, cells in lines if any(cells)]


def _columns(path: Path, header: Sequence[str]) -> tuple[int, int, bool]:
    names = [name.casefold() for name in header]
    file = next((names.index(name) for name in _FILE_COLUMNS if name in names), None)
    label = next((names.index(name) for name in _LABEL_COLUMNS if name in names), None)
    if file is not None and label is not None:
        return file, label, True
    if len(names) == 2:  # noqa: PLR2004 - a file and its label
        return 0, 1, file is not None or label is not None
    raise UsageError(f"the labels {path} do not say which column is what: name them in the first line, as file,label")
