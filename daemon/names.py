"""Which names below a watched root are pictures, and which folders are entered. Pure: nothing is looked up on disk."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

from storage.patterns import compiled, folded
from storage.root import OWN

INCLUDE: Final = ("*.jpg", "*.jpeg", "*.jpe", "*.jfif")

IGNORE: Final = (
    # hidden, temporary and half uploaded
    ".*",
    "*~",
    "*.tmp",
    "*.temp",
    "*.part",
    "*.partial",
    "*.filepart",
    "*.crdownload",
    # what NAS devices and desktops make; those with a dot stay out even where ".*" is taken off this list
    "@eaDir/",
    "@tmp/",
    "@Recycle/",
    "@Recently-Snapshot/",
    "#recycle/",
    "#snapshot/",
    ".@__thumb/",
    ".AppleDouble/",
    "._*",
    "$RECYCLE.BIN/",
    "System Volume Information/",
    "lost+found/",
)

_REMEMBERED: Final = 4096


class NameFilter:
    """Patterns (storage/patterns.py) over paths relative to a watched root.

    As in git, nothing inside an ignored folder is a picture, and an include pattern that names a folder takes in all
    that lies in it. framekeep's own folder is never entered, whatever the patterns say. Raises ValueError with a
    sentence for a pattern that can match nothing.
    """

    def __init__(self, include: Iterable[str] = INCLUDE, ignore: Iterable[str] = IGNORE) -> None:
        self._include = compiled(include)
        self._ignore = compiled(ignore)
        # Pictures come by the thousand from the same few folders.
        self._entered: Callable[[str], bool] = lru_cache(_REMEMBERED)(self._is_entered)
        self.folder: Callable[[str], bool] = lru_cache(_REMEMBERED)(self._may_enter)
        """Whether a folder of this relative path ("" is the root) may be entered."""

    def picture(self, path: str) -> bool:
        """Whether a file of this relative path is to be looked at."""
        name = folded(path)
        is_picture = self._include.match_file(name) and not self._is_ignored(name)
        return is_picture and self.folder(path.rpartition("/")[0])

    def _may_enter(self, path: str) -> bool:
        return all(self._entered(step) for step in _steps(path))

    def _is_entered(self, path: str) -> bool:
        return not self._is_ignored(f"{folded(path)}/")

    def _is_ignored(self, name: str) -> bool:
        return name.rstrip("/").rpartition("/")[2] == OWN or self._ignore.match_file(name)


def _steps(path: str) -> Iterator[str]:
    """The folders from the root down to `path`: "a/b" gives "a", "a/b"."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)
    if path:
        yield path
