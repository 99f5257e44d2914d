"""The names of a model's classes, as its owner wrote them down."""

from pathlib import Path

from framekeep.errors import ModelUnavailableError

_FEWEST = 2


def read_class_names(path: Path) -> tuple[str, ...]:
    """A classifier's, which has at least two. Raises ModelUnavailableError."""
    names = read_names(path)
    if len(names) < _FEWEST:
        raise ModelUnavailableError(f"the class names {path} hold one name only; a classifier has at least two classes")
    return names


def read_names(path: Path) -> tuple[str, ...]:
    """One name a line, UTF-8, in the order of the model's classes. Raises ModelUnavailableError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelUnavailableError(f"the class names {path} cannot be read: {error}") from error
    names = tuple(line.strip() for line in text.rstrip().split("\n"))
    if "" in names:
        raise ModelUnavailableError(f"line {names.index('') + 1} of the class names {path} is empty")
    return names
