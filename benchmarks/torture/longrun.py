"""A day's work in fast motion: a daemon serves cameras that deliver for 24 hours, as fast as it can follow.

usage: python -m benchmarks.torture.longrun [--count PICTURES] [--seed SEED]

Real: the serving pipeline in a process of its own with inotify, rescans, settling, squeezers, ledger, vault; the
cameras' process. Fake: the model (blink.py), and the clock's pace. Memory, descriptors and threads of the daemon are
sampled from outside: the least of the last fifth, which is what it holds at rest, must be that of the second fifth.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.torture.blink import Blink
from benchmarks.torture.diary import Diary
from benchmarks.torture.drawing import drawn, unique
from benchmarks.torture.driving import config_of, ended, forked
from benchmarks.torture.racers import FORK
from benchmarks.torture.running import checked, main
from benchmarks.torture.site import Site
from benchmarks.torture.verdict import Verdict, found
from daemon.config.schema import Config
from daemon.house import opened
from daemon.notify import Notifier
from daemon.reporting import Counted
from daemon.serving import serve

_CAMERAS: Final = 5
_MOST_BEHIND: Final = 1000
"""Cameras slow down when so many wait: a day is long."""
_SAMPLE_SECONDS: Final = 1.0
_PATIENCE: Final = 120.0
"""Seconds without a decision after which the daemon counts as stuck."""
_SLACK: Final = {"mib": 8, "descriptors": 4, "threads": 2}
_PAGES_A_MIB: Final = 2**20 // os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds at one moment."""

    mib: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, process: int) -> "Sample":
        folder = Path(f"/proc/{process}")
        pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
        return cls(pages // _PAGES_A_MIB, len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir())))


def torture(folder: Path, pictures: int, seed: int) -> Verdict:
    site = Site(folder / "day").make()
    config = config_of(site, service={"log_level": "warning"})
    daemon = forked(site, lambda: _serve(config))
    state = config.service.runtime_directory / "state.json"
    camera = FORK.Process(target=_deliver, args=(site, state, pictures, seed))
    camera.start()
    samples = list(_samples(daemon, state, camera.is_alive))
    camera.join()
    os.kill(daemon, signal.SIGTERM)
    code = ended(daemon)
    total = found("trials", count=pictures) + checked(site) + _flat(samples)
    return total if code == 0 else total + found("damaged", f"the daemon ended with exit code {code}")


def _serve(config: Config) -> int:
    with opened(config, Blink()) as house:

        async def until_told() -> None:
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            await serve(house, stop, asyncio.Event(), Notifier({}), Counted())

        asyncio.run(until_told())
    return 0


def _samples(daemon: int, state: Path, delivering: Callable[[], bool]) -> Iterator[Sample]:
    """Until everything that was delivered is decided, or nothing has moved for long."""
    told, since = (-1, -1), time.monotonic()
    while time.monotonic() - since < _PATIENCE:
        yield Sample.of(daemon)
        time.sleep(_SAMPLE_SECONDS)
        waiting, decided = _told(state)
        if (waiting, decided) != told:
            told, since = (waiting, decided), time.monotonic()
        elif not delivering() and waiting == 0 and time.monotonic() - since > 5 * _SAMPLE_SECONDS:
            return


def _told(state: Path) -> tuple[int, int]:
    """How many pictures wait, and how many are decided, as the daemon itself tells."""
    if not state.exists():
        return 0, 0
    live = json.loads(state.read_text(encoding="utf-8"))
    return live["waiting"], sum(live[name] for name in ("replaced", "kept", "skipped", "failed"))


def _flat(samples: Sequence[Sample]) -> Verdict:
    early = samples[len(samples) // 5 : 2 * len(samples) // 5] or samples
    late = samples[-max(1, len(samples) // 5) :]
    total = Verdict()
    for what, slack in _SLACK.items():
        before, after = (min(getattr(sample, what) for sample in part) for part in (early, late))
        total += found(f"most_{what}_early", count=before) + found(f"most_{what}_late", count=after)
        if after > before + slack:
            total += found("damaged", f"{what} grew from {before} to {after}")
    return total


def _deliver(site: Site, state: Path, pictures: int, seed: int) -> None:
    chance, diary = random.Random(seed), Diary(site, "day")  # noqa: S311 - chance, not secrecy
    negatives = [drawn(number) for number in range(100)]
    earlier: list[str] = []
    pace = _Pace(state)
    for number in range(pictures):
        camera, hour = number % _CAMERAS, number * 24 // pictures
        path = f"camera{camera}/{hour:02}/{number:06}.jpg"
        picture = unique(chance.choice(negatives), b"%d" % number)
        (site.root / path).parent.mkdir(parents=True, exist_ok=True)
        _drop(site, diary, path, picture, uploaded=chance.random() < 0.5)
        earlier.append(path)
        if chance.random() < 0.05:
            _change(site, diary, earlier.pop(chance.randrange(len(earlier))), chance)
        pace.follow()


class _Pace:
    """What the daemon tells is some seconds old, so what was delivered since counts too."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._told = (0, 0)
        self._since = 0

    def follow(self) -> None:
        """Called after each picture; waits while the daemon is far behind."""
        self._since += 1
        while self._told[0] + self._since > _MOST_BEHIND:
            told = _told(self._state)
            if told == self._told:
                time.sleep(0.1)
            else:
                self._told, self._since = told, 0


def _drop(site: Site, diary: Diary, path: str, picture: bytes, *, uploaded: bool) -> None:
    """Written at its path, or uploaded under a hidden name and renamed."""
    diary.note(path, picture)
    file = site.root / path
    if uploaded:
        part = file.with_name(f".{file.name}.part")
        part.write_bytes(picture)
        part.rename(file)
    else:
        file.write_bytes(picture)


def _change(site: Site, diary: Diary, path: str, chance: random.Random) -> None:
    """An earlier picture is deleted, or another one is delivered in its place, which may be none at all."""
    if chance.random() < 0.5:
        diary.note(path, None)
        (site.root / path).unlink()
        return
    picture = unique(drawn(chance.getrandbits(20)), b"%d" % chance.getrandbits(40))
    _drop(site, diary, path, picture if chance.random() < 0.8 else picture[:-100], uploaded=True)


if __name__ == "__main__":
    sys.exit(main("longrun", torture, 100_000))
