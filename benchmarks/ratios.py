"""Compression ratios of a folder's pictures under each keeper, by real sweeps of copies of it. Prints Markdown.

usage: python benchmarks/ratios.py DIR…

The copies lie in the temporary folder (TMPDIR), which must be on a filesystem that can exchange two files. Metadata is
never changed. "CR, bare" counts the variants as if it were dropped, as re-encoding with an image library does: that is
how the paper's sizes are to be compared.
"""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from framekeep.jpeg.codec import encoder_versions
from framekeep.jpeg.metadata import segments_of
from framekeep.reasons import Kept

KEEPERS: Final = (("t1k", 0.0), ("t5k", 0.0), ("ttk", 0.0), ("t1k", 0.3), ("ttk", 0.3))
SUFFIXES: Final = {".jpg", ".jpeg", ".jpe", ".jfif"}
COLUMNS: Final = ("keeper", "min_confidence", "CR", "CR, bare", "replaced", "kept", "other", "pictures/s")


@dataclass(frozen=True)
class Swept:
    """What a sweep of a copy came to; sizes in bytes."""

    summary: dict[str, int | float]
    metadata: int

    @property
    def before(self) -> float:
        return self.summary["bytes_before"]

    @property
    def after(self) -> float:
        return self.summary["bytes_after"]

    def row(self, keeper: str, min_confidence: float) -> tuple[str, ...]:
        told = self.summary
        return (
            keeper,
            f"{min_confidence:g}",
            f"{self.before / self.after:.2f}",
            f"{self.before / (self.after - self.metadata):.2f}",
            *(str(told[name]) for name in ("replaced", "kept")),
            str(told["skipped"] + told["failed"]),
            f"{told['seen'] / told['seconds']:.1f}",
        )


def main(folders: Iterable[Path]) -> None:
    print(encoder_versions())
    for folder in folders:
        print(f"\n`{folder.name}`:\n")
        print_row(COLUMNS)
        print_row("---" for _ in COLUMNS)
        for keeper, min_confidence in KEEPERS:
            print_row(swept(folder, keeper, min_confidence).row(keeper, min_confidence))


def print_row(cells: Iterable[str]) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def swept(folder: Path, keeper: str, min_confidence: float) -> Swept:
    """Sweeps a copy of the folder with the installed command."""
    with TemporaryDirectory() as scratch:
        root = Path(scratch, "pictures")
        copy(folder, root)
        metadata = metadata_bytes(root)
        config = Path(scratch, "config.toml")
        config.write_text(
            '[watch]\nroots = ["pictures"]\nsettle_seconds = 0.1\n'
            f'[selection]\nkeeper = "{keeper}"\nmin_confidence = {min_confidence}\n'
        )
        return Swept(json.loads(_sweep(config)), metadata)


def copy(folder: Path, root: Path) -> None:
    """Copies all but hidden files; the copy may be changed whatever the folder's modes say."""
    shutil.copytree(folder, root, ignore=shutil.ignore_patterns(".*"))
    for path in (root, *root.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def metadata_bytes(root: Path) -> int:
    """The bytes of the metadata segments in a folder's pictures."""
    pictures = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sum(_metadata_of(path.read_bytes()) for path in pictures)


def _metadata_of(data: bytes) -> int:
    try:
        return sum(map(len, segments_of(data)))
    except Kept:  # no whole JPEG: it stays as it is, and counts among what did not shrink
        return 0


def _sweep(config: Path) -> str:
    framekeep = Path(sys.executable).with_name("framekeep")
    done = subprocess.run(  # noqa: S603 - our own command on a path that this script made
        [framekeep, "sweep", "--json", "--config", config], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 3):  # 3: some pictures failed, which the table tells
        sys.exit(done.returncode)
    return done.stdout


if __name__ == "__main__":
    main([Path(argument).resolve() for argument in sys.argv[1:]])
