"""Whether the watched roots are there: the part of a configuration's truth that only the disk knows."""

import stat
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from daemon.config.faults import listed
from daemon.config.free_space import faults_of
from daemon.config.schema import Config
from framekeep.errors import ConfigurationError


def check_roots(config: Config) -> None:
    """Raises ConfigurationError, with one line for each fault, unless every root is a folder apart from the others."""
    told = {root: _fault(root) for root in config.watch.roots}
    faults = [f"{root} {fault}" for root, fault in told.items() if fault]
    faults += _overlaps([root for root, fault in told.items() if not fault])
    if faults:
        raise ConfigurationError(listed("watch.roots", faults))
    free = [
        fault for root in config.watch.roots for fault in faults_of(config.pressure, config.vault.floor_megabytes, root)
    ]
    if free:
        raise ConfigurationError(listed("pressure.when_free_below", free))


def _fault(root: Path) -> str | None:
    try:
        mode = root.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist; create it or correct the path"
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    if stat.S_ISLNK(mode):
        return "is a symbolic link; give the path of the folder itself"
    return None if stat.S_ISDIR(mode) else "is not a folder"


def _overlaps(roots: Sequence[Path]) -> Iterator[str]:
    """Links above a root can lead two roots to one place, which their names do not show."""
    for one, other in combinations(roots, 2):
        if one.resolve().is_relative_to(other.resolve()) or other.resolve().is_relative_to(one.resolve()):
            yield f"{one} and {other} share pictures by way of a symbolic link; give only one of them"
