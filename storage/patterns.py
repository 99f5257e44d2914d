"""Patterns as in a .gitignore, without regard to case, over paths relative to a watched root."""

import re
from collections.abc import Iterable

from pathspec import GitIgnoreSpec


def compiled(patterns: Iterable[str]) -> GitIgnoreSpec:
    """What these patterns match together, in `folded` paths; the last that matches decides, and ! negates.

    A leading # is part of a name, not a comment. Raises ValueError with a sentence for a pattern that nothing matches.
    """
    return _spec(map(_checked, patterns))


def folded(path: str) -> str:
    """A path without case, and with NUL, which no name holds, for line feeds: they would end a name in pathspec."""
    return path.lower().replace("\n", "\0")


def _checked(pattern: str) -> str:
    line = pattern.lower()
    if line.startswith("#"):
        line = f"\\{line}"
    try:
        parts = _spec([line]).patterns
    except (ValueError, re.error):
        parts = []
    if not any(part.include is not None for part in parts):
        raise ValueError('should be a pattern as in a .gitignore file, such as "gate/**"')
    return line


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(lines, backend="simple")  # the other backends refuse a path that is not UTF-8
