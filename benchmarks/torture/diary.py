"""What the cameras did: all that the checker knows of how things should be. Shares nothing with framekeep's code."""

import hashlib
import json
from pathlib import Path

from benchmarks.torture.site import Site


class Diary:
    """One camera's. A line is written before the camera acts, and holds once it has acted."""

    def __init__(self, site: Site, camera: str) -> None:
        self._delivered = site.delivered
        self._file = site.diaries / f"{camera}.jsonl"

    def note(self, path: str, content: bytes | None) -> None:
        """What the path (relative to the root) is to hold, whole; None: nothing, the camera deletes it."""
        name = None if content is None else _kept(self._delivered, content)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([path, name]) + "\n")


def _kept(folder: Path, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    if not (folder / name).exists():
        (folder / name).write_bytes(content)
    return name


def read_diaries(site: Site) -> dict[str, list[bytes | None]]:
    """Each path's contents, oldest first."""
    history: dict[str, list[bytes | None]] = {}
    for diary in sorted(site.diaries.iterdir()):
        for path, name in map(json.loads, diary.read_text(encoding="utf-8").splitlines()):
            content = None if name is None else (site.delivered / name).read_bytes()
            history.setdefault(path, []).append(content)
    return history
