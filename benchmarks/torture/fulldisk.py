"""A disk that is full, or becomes full in the middle of a sweep: small real filesystems, filled up at random.

usage: python -m benchmarks.torture.fulldisk [--count TRIALS] [--seed SEED]        (root, for the mounts)

Real: the filesystems (a tmpfs of fixed size, ext4 in a file), pipeline, ledger, replacement, recovery; each sweep is a
process. Fake: the model (blink.py). The ledger lies on the same filesystem in half of the trials. After a look at what
the full disk left, space is made, and another sweep must repair it all. Mounts live and end with this test's own
namespace.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.torture.diary import Diary
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import PARTIAL, config_of, ended, forked, start
from benchmarks.torture.running import checked, main
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import Verdict, found

_REPOSITORY: Final = Path(__file__).parents[2]
_UNSHARE: Final = shutil.which("unshare")
_INSIDE: Final = "--inside"
_PICTURES: Final = 30
_SIZE: Final = (160, 120)
_MIB: Final = {"tmpfs": 4, "ext4": 12}
"""Of which ext4's journal takes a third."""
_BLOCK: Final = 4096
"""As on every larger disk. With smaller blocks SQLite's shared memory can meet a hole that a full disk cannot fill."""
_INODES: Final = 200
"""Enough for the pictures, framekeep's folders and some variants."""
_ENDS: Final = {0: "swept", PARTIAL: "swept_in_part", 10: "refused_to_start", 13: "ended_by_the_ledger"}
"""By exit code."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to become full, and when: before the sweep, or so many seconds after its start."""

    filesystem: str
    ledger_too: bool
    what: str
    left: int
    delay: float | None
    floor_megabytes: float

    @classmethod
    def drawn_by_lot(cls, chance: random.Random) -> "Trial":
        what = chance.choice(["bytes", "bytes", "bytes", "inodes"])
        return cls(
            chance.choice(["tmpfs", "ext4"]),
            chance.random() < 0.5,
            what,
            chance.randrange(200_000) if what == "bytes" else chance.randrange(30),
            chance.choice([None, chance.uniform(0, 0.8)]),
            chance.choice([0, 0, 0.1]),
        )


def available() -> bool:
    """Whether this machine and user can mount in a namespace of their own."""
    return bool(_UNSHARE) and subprocess.run([_UNSHARE or "", "--mount", "true"], check=False).returncode == 0  # noqa: S603 - a tool of the system


def torture(folder: Path, trials: int, seed: int) -> Verdict:
    """In a process of its own, whose mounts nobody else sees."""
    command = [_UNSHARE or "unshare", "--mount", sys.executable, "-m", "benchmarks.torture.fulldisk"]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, _INSIDE, str(folder), str(trials), str(seed)],
        cwd=_REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    return Verdict(Counter(told["counts"]), tuple(told["findings"]))


def _inside(folder: Path, trials: int, seed: int) -> Verdict:
    total, chance = Verdict(), random.Random(seed)  # noqa: S311 - chance, not secrecy
    for number in range(trials):
        site = Site(folder / str(number)).make()
        trial = Trial.drawn_by_lot(chance)
        with _mounted(site, trial):
            verdict = _tried(site, trial, chance)
        total += Verdict(verdict.counts, tuple(f"{site.folder}: {trial}: {line}" for line in verdict.findings))
        if verdict.is_clean:
            shutil.rmtree(site.folder)
    return total


@contextmanager
def _mounted(site: Site, trial: Trial) -> Iterator[None]:
    """The root, and where the trial says so the ledger, lie on the small filesystem."""
    small = site.folder / "small"
    small.mkdir()
    if trial.filesystem == "tmpfs":
        _do("mount", "-t", "tmpfs", "-o", f"size={_MIB['tmpfs']}m,nr_inodes={_INODES}", "tmpfs", small)
    else:
        image = site.folder / "image"
        with image.open("wb") as file:
            file.truncate(_MIB["ext4"] * 2**20)
        _do("mkfs.ext4", "-q", "-F", "-m", "0", "-b", str(_BLOCK), "-N", str(_INODES), image)
        _do("mount", "-o", "loop", image, small)
    folders = ["incoming", "var"] if trial.ledger_too else ["incoming"]
    for name in folders:
        (small / name).mkdir()
        (site.folder / name).mkdir(exist_ok=True)
        _do("mount", "--bind", small / name, site.folder / name)
    try:
        yield
    finally:
        for name in (*folders, "small"):
            _do("umount", site.folder / name)


def _tried(site: Site, trial: Trial, chance: random.Random) -> Verdict:
    _deliver(site, chance)
    if trial.delay is None:
        _fill(site, trial)
    config = config_of(site, vault={"floor_megabytes": trial.floor_megabytes})
    process = forked(site, lambda: start(config))
    if trial.delay is not None:
        time.sleep(trial.delay)
        _fill(site, trial)
    total = found("trials") + _end(ended(process)) + checked(site, crashed=True)
    for filler in (site.folder / "small").glob("filler*"):
        filler.unlink()
    if again := ended(forked(site, lambda: start(config))):
        total += found("damaged", f"with space again, a sweep ended with exit code {again}")
    return total + checked(site)


def _deliver(site: Site, chance: random.Random) -> None:
    diary = Diary(site, "gate")
    (site.root / "gate").mkdir()
    for number in range(_PICTURES):
        path, picture = f"gate/{number:02}.jpg", drawn(chance.getrandbits(30), _SIZE)
        diary.note(path, picture)
        (site.root / path).write_bytes(picture)


def _fill(site: Site, trial: Trial) -> None:
    """Leaves so many bytes, or files, as the trial says; fewer where there are fewer."""
    small = site.folder / "small"
    if trial.what == "bytes":
        with suppress(OSError), (small / "filler").open("wb", buffering=0) as file:
            while (free := _free(small) - trial.left) > 0:
                file.write(bytes(min(free, 2**16)))
        return
    with suppress(OSError):
        for number in range(os.statvfs(small).f_favail - trial.left):
            (small / f"filler{number}").touch()


def _free(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _end(code: int) -> Verdict:
    return found(_ENDS[code]) if code in _ENDS else found("damaged", f"a sweep ended with exit code {code}")


def _do(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - a tool of the system


if __name__ == "__main__":
    if sys.argv[1:2] == [_INSIDE]:
        verdict = _inside(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        print(json.dumps({"counts": verdict.counts, "findings": verdict.findings}))
    else:
        sys.exit(main("fulldisk", torture, 100))
