"""Which class each picture is of, as somebody wrote it into a CSV file."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from framekeep.errors import UsageError

_FILE_COLUMNS: Final = ("file", "filename", "path", "image", "picture")
_LABEL_COLUMNS: Final = ("label", "class_index", "class", "wnid", "name", "ground_truth")


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
