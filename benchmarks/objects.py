"""Compression ratios of a folder's pictures where a detector's objects are kept, by camera. Prints Markdown.

usage: python -m benchmarks.objects DIR…

Real sweeps of copies of each folder with the installed command and its default [detection], as benchmarks/ratios.py
does it for labels. Each ratio stands for whole files and, behind the slash, for variants without metadata, as
re-encoding with an image library makes them. Looks are those at the original and its variants, from the lowest rung up
to the chosen one, over the pictures that have one.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.ratios import copy, metadata_bytes, print_row
from framekeep.jpeg.codec import encoder_versions
from framekeep.ladder import parse_ladder

RULES: Final = (
    ("oid_ssd", ["objects"], 0.0),
    ("pedestrian_ssdlite", ["objects"], 0.0),
    ("oid_ssd", ["t1k", "objects"], 0.3),
    ("pedestrian_ssdlite", ["t1k", "objects"], 0.3),
)

RUNGS: Final = [rung.name for rung in reversed(parse_ladder("paper").rungs)]


@dataclass(frozen=True)
class Swept:
    """What a sweep of a copy came to."""

    before: Counter[str]
    """Bytes by camera."""
    after: Counter[str]
    metadata: Mapping[str, int]
    looks: float
    """A picture."""

    def ratio(self, camera: str | None) -> str:
        """Of one camera, or of all."""
        cameras = [camera] if camera else list(self.before)
        sums = (self.before, self.after, self.metadata)
        before, after, metadata = (sum(part[one] for one in cameras) for part in sums)
        return f"{before / after:.2f}/{before / (after - metadata):.2f}"


def main(folders: Iterable[Path]) -> None:
    print(encoder_versions())
    for folder in folders:
        cameras = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        columns = ("detector", "keeper", "min_confidence", "all", *cameras, "looks a picture")
        print(f"\n`{folder.name}`:\n")
        print_row(columns)
        print_row("---" for _ in columns)
        for detector, keeper, min_confidence in RULES:
            told = swept(folder, cameras, {"model": detector}, {"keeper": keeper, "min_confidence": min_confidence})
            ratios = [told.ratio(camera) for camera in (None, *cameras)]
            print_row((detector, ",".join(keeper), f"{min_confidence:g}", *ratios, f"{told.looks:.1f}"))


def swept(folder: Path, cameras: Iterable[str], detection: dict[str, Any], selection: dict[str, Any]) -> Swept:
    """Sweeps a copy of the folder with the installed command."""
    with TemporaryDirectory() as scratch:
        root, config = Path(scratch, "pictures"), Path(scratch, "config.toml")
        copy(folder, root)
        metadata = {camera: metadata_bytes(root / camera) for camera in cameras}
        sections = {
            "watch": {"roots": ["pictures"], "settle_seconds": 0.1},
            "vault": {"floor_megabytes": 0},
            "selection": selection,
            "detection": detection,
        }
        config.write_text("".join(f"[{name}]\n{_lines(section)}" for name, section in sections.items()))
        _framekeep(config, "sweep", "--json")
        decisions = _framekeep(config, "decisions", "--json", "--limit", "1000000")
    rows = [json.loads(row) for row in decisions.splitlines()]
    looks = [1 + RUNGS.index(row["rung"].rpartition("+")[2]) + 1 for row in rows if row["rung"]]
    before, after = Counter[str](), Counter[str]()
    for row in rows:
        before[row["camera"]] += row["bytes_before"]
        after[row["camera"]] += row["bytes_after"]
    return Swept(before, after, metadata, sum(looks) / len(looks))


def _lines(section: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())


def _framekeep(config: Path, *command: str) -> str:
    """What it prints."""
    framekeep = Path(sys.executable).with_name("framekeep")
    done = subprocess.run(  # noqa: S603 - our own command on a path that this script made
        [framekeep, *command, "--config", config], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main([Path(argument).resolve() for argument in sys.argv[1:]])
