"""Finding the pictures of which a forecast tells: below watched roots, or anywhere else."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from daemon.config.schema import Config
from daemon.forecasting.progress import Progress
from daemon.forecasting.sampling import Archive
from daemon.names import NameFilter
from daemon.sweep import place_of
from daemon.walk import walk
from framekeep.errors import UsageError
from storage.records import Place


@dataclass(frozen=True, slots=True)
class Target:
    """A folder or a picture. `place` is below its watched root; outside of all roots, below the folder itself."""

    place: Place

    @property
    def full(self) -> str:
        return os.path.join(self.place.root, self.place.path).rstrip("/") or "/"  # noqa: PTH118 - bytes stay as they are

    def holds(self, other: "Target") -> bool:
        """Whether it has all that another has."""
        return self != other and (other.full == self.full or other.full.startswith(self.full.rstrip("/") + "/"))


def targets_of(config: Config, paths: Sequence[Path]) -> list[Target]:
    """Each path once, also where another holds it. Raises UsageError for one that is not there."""
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path} does not exist")
    targets = list(dict.fromkeys(Target(_place(config, path)) for path in paths))
    return [target for target in targets if not any(other.holds(target) for other in targets)]


def _place(config: Config, path: Path) -> Place:
    try:
        return place_of(config, path)
    except UsageError:
        there = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
        return Place(str(there), "") if there.is_dir() else Place(str(there.parent), there.name)


def list_pictures(config: Config, targets: Sequence[Target], archive: Archive, progress: Progress) -> None:
    """Adds every picture to the archive; `tree` is the target's number. Ends early where that is wished."""
    names = NameFilter(config.watch.include, config.watch.ignore)
    several = len({target.place.root for target in targets}) > 1
    for tree, target in enumerate(targets):
        root = target.place.root
        for found in walk(root, names, target.place.path, progress.passed_over):
            for one in found:
                camera = Place(root, one.path).camera
                archive.add(_named(root, camera) if several else camera, tree, one.path, one.status.st_size)
            progress.found = archive.pictures
            if progress.interrupted:
                return


def _named(root: str, camera: str) -> str:
    """Folders of the same name below several roots are different cameras."""
    return root if camera == "." else f"{root}/{camera}"
