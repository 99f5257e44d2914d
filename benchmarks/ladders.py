"""What the ladders save and cost, by real sweeps of copies of a folder. Prints Markdown.

usage: python -m benchmarks.ladders DIR [EVERY]    EVERY: only each so-many-th picture

"CR, bare" is as in benchmarks/ratios.py. Processor time is that of the whole command, its start and the squeezing
included, so what else the machine does matters little; it is given a picture, and as a multiple of the paper's ladder.
`objects` is with the detector oid_ssd.
"""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.encoders import pictures
from benchmarks.ratios import metadata_bytes, print_row

LADDERS: Final = ("paper", "fine", "best")
KEEPERS: Final = (("t1k", 0.0), ("ttk", 0.0), ("ttk", 0.3), ("objects", 0.0))


def main(folder: Path, every: int) -> None:
    columns = ("keeper", "min_confidence", "ladder", "CR", "CR, bare", "seconds a picture", "times paper's")
    print(f"\n`{folder.name}`, each {every}. picture:\n")
    print_row(columns)
    print_row("---" for _ in columns)
    for keeper, theta in KEEPERS:
        base = 0.0
        for ladder in LADDERS:
            with TemporaryDirectory() as scratch:
                cells, seconds = swept(Path(scratch), pictures(folder)[::every], (keeper, theta, ladder))
            base = base or seconds
            print_row((keeper, f"{theta:g}", ladder, *cells, f"{seconds:.2f}", f"{seconds / base:.1f}"))


def swept(scratch: Path, chosen: list[Path], rule: tuple[str, float, str]) -> tuple[tuple[str, str], float]:
    """Both ratios, and the seconds of processor time a picture."""
    (root := scratch / "pictures").mkdir()
    for number, path in enumerate(chosen):
        shutil.copyfile(path, root / f"{number}.jpg")
    metadata = metadata_bytes(root)
    keeper, theta, ladder = rule
    config = scratch / "config.toml"
    config.write_text(
        '[watch]\nroots = ["pictures"]\nsettle_seconds = 0.1\n[vault]\nfloor_megabytes = 0\n'
        f'[selection]\nkeeper = "{keeper}"\nmin_confidence = {theta}\nladder = "{ladder}"\n'
        '[detection]\nmodel = "oid_ssd"\n'
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, "-c", "from cli.main import main; main()", "sweep", "--json", "--config", str(config)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own command
    seconds = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / len(chosen)
    told = json.loads(done.stdout)
    ratios = (told["bytes_before"] / (told["bytes_after"] - part) for part in (0, metadata))
    whole, bare = (f"{ratio:.2f}" for ratio in ratios)
    return (whole, bare), seconds


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 1)
