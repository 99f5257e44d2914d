"""The names of a model's classes, as its owner wrote them down."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from framekeep.errors import ModelUnavailableError

NO_CLASS: Final = frozenset({"__background__", "N/A"})
"""What stands for no class in the lists of torchvision's detectors, more than once."""

_FEWEST: Final = 2


def read_class_names(path: Path) -> tuple[str, ...]:
    """A classifier's, which has at least two. Raises ModelUnavailableError."""
    names = read_names(path)
    if len(names) < _FEWEST:
        raise ModelUnavailableError(f"the class names {path} hold one name only; a classifier has at least two classes")
    return names


def read_names(path: Path) -> tuple[str, ...]:
    """One name a line, UTF-8, in the order of the model's classes. Raises ModelUnavailableError.

    No two are equal, but for those that stand for no class (NO_CLASS).
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelUnavailableError(f"the class names {path} cannot be read: {error}") from error
    names = tuple(line.strip() for line in text.rstrip().split("\n"))
    if "" in names:
        raise ModelUnavailableError(f"line {names.index('') + 1} of the class names {path} is empty")
    _refuse_doubles(path, names)
    return names


def _refuse_doubles(path: Path, names: Sequence[str]) -> None:
    """A name is all that the configuration and the ledger have of a class."""
    lines: dict[str, int] = {}
    for line, name in enumerate(names, start=1):
        first = lines.setdefault(name, line)
        if first != line and name not in NO_CLASS:
            raise ModelUnavailableError(
                f"line {line} of the class names {path} is {name!r} again, as line {first} is: "
                "each class needs a name of its own"
            )
