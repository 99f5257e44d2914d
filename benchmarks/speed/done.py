"""A second sweep: every picture is done, so it only walks and asks the ledger. Files a second, and memory.

usage: python -m benchmarks.speed.done [--count N]

The files hold one byte each, since nothing opens them; the ledger is filled through its Writer (filling.py).
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.speed.filling import CAMERAS, fill_with_done
from benchmarks.speed.rows import begin, told
from benchmarks.speed.site import Site, made

_A_FOLDER: Final = 1000
_RATE: Final = "≥ 20,000 files/s"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.done")
    parser.add_argument("--count", type=int, default=100_000, help="how many files (default: %(default)s)")
    count = parser.parse_args().count
    begin()
    with made() as site:
        fill_with_done(site, files(site, count))
        _, least_mib = _swept(site, str(site.root / "camera00"))
        rate, mib = _swept(site)
    told(f"a second sweep over {count:,} done files", f"{rate:,.0f} files/s", _RATE)
    told("its largest memory, against a sweep of 1 camera in 50", f"{mib:.0f} MiB, {least_mib:.0f} MiB", "flat")


def files(site: Site, count: int) -> Iterator[Path]:
    """Makes tiny files, spread over cameras and folders."""
    for number in range(count):
        folder = site.root / f"camera{number % CAMERAS:02}" / f"{number // (CAMERAS * _A_FOLDER):03}"
        if number // CAMERAS % _A_FOLDER == 0:
            folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{number:08}.jpg"
        file.write_bytes(b".")
        yield file


def _swept(site: Site, *paths: str) -> tuple[float, float]:
    """Files a second, and MiB."""
    ran = site.framekeep("sweep", *paths, "--json")
    summary = json.loads(ran.output)
    assert summary["skipped"] == summary["seen"], summary
    return summary["seen"] / summary["seconds"], ran.mib


if __name__ == "__main__":
    main()
