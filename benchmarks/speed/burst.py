"""Pictures dropped at once from many cameras into a running daemon with the real model: none missed; its memory.

usage: python -m benchmarks.speed.burst [--count N]

How memory keeps over 100,000 pictures is what benchmarks/torture/longrun.py counts, with a fake model.
"""

import argparse
import json
import time
from typing import Final

from benchmarks.speed import album
from benchmarks.speed.rows import begin, told
from benchmarks.speed.serving import Daemon, serving
from benchmarks.speed.site import Site, made
from benchmarks.torture.drawing import unique

_CAMERAS: Final = 50
_NEGATIVES: Final = 40
_MEGAPIXELS: Final = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.burst")
    parser.add_argument("--count", type=int, default=1000, help="how many pictures (default: %(default)s)")
    count = parser.parse_args().count
    begin()
    with made(watch={"settle_seconds": 2}) as site:
        for camera in range(_CAMERAS):
            (site.root / f"camera{camera:02}").mkdir()
        with serving(site) as daemon:
            _measure(site, daemon, count)


def _measure(site: Site, daemon: Daemon, count: int) -> None:
    negatives = [album.picture(seed, _MEGAPIXELS) for seed in range(_NEGATIVES)]
    at_rest, began = daemon.mib(), time.monotonic()
    for number in range(count):
        path = site.root / f"camera{number % _CAMERAS:02}" / f"{number:06}.jpg"
        path.write_bytes(unique(negatives[number % _NEGATIVES], b"%d" % number))
    dropped = time.monotonic() - began
    daemon.wait(lambda: daemon.decided() >= count)
    seconds, state = time.monotonic() - began, daemon.state()
    rows = site.framekeep("decisions", "--json", "--limit", str(2 * count)).output.splitlines()
    decided = len({json.loads(row)["path"] for row in rows})
    what = f"{count:,} pictures dropped within {dropped:.1f} s from {_CAMERAS} cameras"
    missed = f"{count - decided} without a decision, {state['missed_by_watcher']} found only by a rescan"
    told(what, f"{missed}; all decided after {seconds:.0f} s", "none missed")
    told("resident memory: at rest, at most", f"{at_rest:.0f} MiB, {daemon.mib('VmHWM'):.0f} MiB", "≤ 1536 MiB")


if __name__ == "__main__":
    main()
