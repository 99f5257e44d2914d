"""A daemon that has nothing to do: its share of a core, what its rescans add to that, and what it writes to disks.

usage: python -m benchmarks.speed.idle [--count N] [--seconds S]

All files are done (filling.py), watched by the installed daemon with the real model. Nothing is rescanned within the
time of the first row; in the second, once a minute, from which follows what the default (every 10 minutes) adds. Then
strace tells of every call that changes a file.
"""

import argparse
import subprocess
import time
from pathlib import Path
from typing import Final

from benchmarks.speed.done import files
from benchmarks.speed.filling import fill_with_done
from benchmarks.speed.rows import begin, told
from benchmarks.speed.serving import Daemon, serving
from benchmarks.speed.site import Site, made
from benchmarks.torture.tracing import STRACE, available

_CALLS: Final = "write,pwrite64,writev,pwritev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat"
_DEFAULT_MINUTES: Final = 10
_REST_SECONDS: Final = 1.0
_QUIET: Final = 0.05
"""Of a core: its first scan is over."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.idle")
    parser.add_argument("--count", type=int, default=10_000, help="how many files (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="how long to look (default: %(default)s)")
    given = parser.parse_args()
    begin()
    with made() as site:
        fill_with_done(site, files(site, given.count))
        _measure(site, given.count, given.seconds)


def _measure(site: Site, count: int, seconds: float) -> None:
    what = f"an idle daemon over {count:,} files"
    with serving(_rescanned(site, 60)) as daemon:
        still = share(daemon, seconds)
        told(f"{what}, without a rescan", f"{still:.3%} of a core", "< 1%")
        told(f"{what}: calls that change a file below its folder", written(daemon, seconds), "0")
    with serving(_rescanned(site, 1)) as daemon:
        rescans = (share(daemon, 60 * max(1, round(seconds / 60))) - still) / _DEFAULT_MINUTES
    told(f"{what}, with a rescan every {_DEFAULT_MINUTES} minutes", f"{still + max(0, rescans):.3%} of a core", "< 1%")


def _rescanned(site: Site, minutes: float) -> Site:
    quiet = {"verify": {"days": 0}, "drift": {"sample_per_day": 0}}
    return site.configure(watch={"rescan_minutes": minutes}, **quiet)


def share(daemon: Daemon, seconds: float) -> float:
    """Of one core, once it has come to rest."""
    daemon.wait(lambda: _share(daemon, _REST_SECONDS) < _QUIET)
    return _share(daemon, seconds)


def _share(daemon: Daemon, seconds: float) -> float:
    before, began = daemon.processor(), time.monotonic()
    time.sleep(seconds)
    return (daemon.processor() - before) / (time.monotonic() - began)


def written(daemon: Daemon, seconds: float) -> str:
    """Pipes and sockets do not count."""
    if not available():
        return "not measured: strace is not here, or may not trace"
    log = daemon.site.folder / "strace.log"
    command: list[str | Path] = [
        STRACE or "strace",
        "-f",
        "-y",
        "-e",
        f"trace={_CALLS}",
        "-e",
        "signal=none",
        "-o",
        log,
    ]
    tracer = subprocess.Popen([*command, "-p", str(daemon.process.pid)], stderr=subprocess.DEVNULL)  # noqa: S603 - a tool of the system
    time.sleep(seconds)
    if tracer.poll() is not None:
        return "not measured: strace cannot attach"
    tracer.terminate()
    tracer.wait()
    return str(_below(log, daemon.site.folder))


def _below(log: Path, folder: Path) -> int:
    return sum(str(folder) in line for line in log.read_text(errors="replace").splitlines())


if __name__ == "__main__":
    main()
