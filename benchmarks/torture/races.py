"""A camera acts on a picture at each step of its replacement, and right around the exchange.

usage: python -m benchmarks.torture.races [--count RACES] [--seed SEED]

Real: camera processes, filesystem, ledger, pipeline with its threads, replacement. Fake: the model, which answers at
once (blink.py). Each picture is raced once; at the chosen step its camera does one deed, and framekeep either waits
until that is done or goes on beside it. A viewer reads the paths all the time.
"""

import random
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import simplejpeg

from benchmarks.torture.blink import Blink
from benchmarks.torture.diary import Diary
from benchmarks.torture.drawing import drawn, unique
from benchmarks.torture.driving import config_of
from benchmarks.torture.facts import gather, sha
from benchmarks.torture.racers import DEEDS, IN_PLACE, INSIDE, MODE, TAIL, Order, racers, viewer
from benchmarks.torture.running import checked, main
from benchmarks.torture.site import Site
from benchmarks.torture.stepping import STEPS, Step, passed
from benchmarks.torture.verdict import Verdict, found
from daemon.house import opened

RACES_A_SITE: Final = 250
_RACERS: Final = 8
"""As many as framekeep has threads for disks."""
_LONGEST_DELAY: Final = 0.0008
"""Seconds: what a swap takes here, so that deeds fall before, within and behind the exchange."""
_WHOLE_PICTURE: Final = (b"\xff\xd8", b"\xff\xd9")


@dataclass(frozen=True, slots=True)
class Race:
    """When the camera acts: before or after a step (framekeep waits), or "beside" it."""

    when: str
    step: str
    order: Order


class Starter:
    """Starts each picture's race when its step comes. Every thread of framekeep's has a camera of its own."""

    def __init__(self, races: dict[str, Race], cameras: Sequence[Connection]) -> None:
        self._races = races
        self._cameras = list(cameras)
        self._own = threading.local()
        self.started: list[str] = []

    def before(self, step: Step) -> None:
        self._race(step, ("before", "beside"))

    def after(self, step: Step) -> None:
        self._race(step, ("after",))

    def _race(self, step: Step, moments: tuple[str, ...]) -> None:
        race = self._races.get(step.path)
        if race is None or race.step != step.name or race.when not in moments:
            return
        self.started.append(step.path)
        camera = self._free_camera()
        camera.send(race.order)
        camera.recv()  # it has begun
        if race.when == "beside":
            self._own.busy = True
        else:
            camera.recv()  # it has ended

    def _free_camera(self) -> Connection:
        """This thread's, once it has ended what it did beside framekeep."""
        if not hasattr(self._own, "camera"):
            self._own.camera, self._own.busy = self._cameras.pop(), False
        camera: Connection = self._own.camera
        if self._own.busy:
            camera.recv()
            self._own.busy = False
        return camera


def torture(folder: Path, races: int, seed: int) -> Verdict:
    return raced(folder, races, seed, _pass)


def _pass(site: Site, starter: Starter) -> None:
    with opened(config_of(site), Blink()) as house:
        passed(house, starter)


def raced(folder: Path, races: int, seed: int, do_pass: Callable[[Site, Starter], None]) -> Verdict:
    """`do_pass` lets framekeep go over a site once, with the starter listening."""
    total, chance = Verdict(), random.Random(seed)  # noqa: S311 - chance, not secrecy
    negatives = [drawn(number) for number in range(60)]
    while (left := races - total.counts["trials"]) > 0:
        site = Site(folder / str(total.counts["trials"])).make()
        total += _raced(site, _planned(min(RACES_A_SITE, left), negatives, chance), do_pass)
    return total


def _planned(races: int, negatives: Sequence[bytes], chance: random.Random) -> list[tuple[bytes, Race]]:
    """Each with the picture that is there before."""
    return [_drawn_by_lot(number, negatives, chance) for number in range(races)]


def _drawn_by_lot(number: int, negatives: Sequence[bytes], chance: random.Random) -> tuple[bytes, Race]:
    before, fresh = (unique(chance.choice(negatives), b"%d %d" % (number, turn)) for turn in range(2))
    deed = chance.choice(list(DEEDS))
    when = chance.choice(("before", "after", "beside", "beside"))
    step = chance.choice((*STEPS, "swap_in")) if when != "beside" else "swap_in"
    delay = chance.uniform(0, _LONGEST_DELAY) if when == "beside" else 0.0
    picture = before if deed.startswith("append") else fresh
    return before, Race(when, step, Order(deed, f"gate/{number:04}.jpg", delay, picture))


def _raced(site: Site, planned: list[tuple[bytes, Race]], do_pass: Callable[[Site, Starter], None]) -> Verdict:
    races = {race.order.path: race for _, race in planned}
    _deliver(site, {race.order.path: before for before, race in planned})
    seen: dict[str, set[bytes]] = {}
    with viewer(site, list(races), seen), racers(site, _RACERS) as cameras:
        do_pass(site, starter := Starter(races, cameras))
    if not starter.started:
        raise RuntimeError("no picture came to the step at which its race was to start")
    total = found("trials", count=len(starter.started)) + checked(site)
    for path in starter.started:
        total += _form(site, path, races[path])
    for verdict in _views(site, races, seen):
        total += verdict
    return total


def _deliver(site: Site, pictures: dict[str, bytes]) -> None:
    (site.root / "gate").mkdir()
    (site.folder / "outside.jpg").write_bytes(drawn(0))
    diary = Diary(site, "before")  # whose name comes before the racers'
    for path, picture in pictures.items():
        diary.note(path, picture)
        (site.root / path).write_bytes(picture)


def _form(site: Site, path: str, race: Race) -> Verdict:
    """What the checker does not look at: links, folders and modes stay as the camera made them."""
    right: dict[str, Callable[[Path], bool]] = {
        "symlink": lambda file: file.is_symlink() and (site.folder / "outside.jpg").read_bytes() == drawn(0),
        "folder": lambda file: (file / INSIDE).is_file(),
        "delete": lambda file: not file.exists(),
        "hard_link": lambda file: (
            (site.folder / file.name).samefile(file) or (site.folder / file.name).stat().st_nlink == 1
        ),
        "chmod": lambda file: stat.S_IMODE(file.stat().st_mode) == MODE,
    }
    if race.order.deed not in right or right[race.order.deed](site.root / path):
        return found(race.order.deed)
    return found("damaged", f"{path}: {race.order.deed} {race.when} {race.step} was undone")


def _views(site: Site, races: dict[str, Race], seen: dict[str, set[bytes]]) -> Iterator[Verdict]:
    """Every look at a path saw something whole: what a camera wrote, or a variant."""
    facts = gather(site, crashed=False)
    after = {row.sha256_after for row in facts.rows}
    for path, views in seen.items():
        yield found("views", count=len(views))
        delivered = [content for content in facts.history[path] if content is not None]
        in_place = races[path].order.deed in IN_PLACE
        for view in (view.removesuffix(TAIL) if in_place else view for view in views):
            halves = in_place and any(content.startswith(view) for content in delivered)
            if not (view in delivered or halves or sha(view) in after or _is_whole(view)):
                yield found("half_written", f"{path}: {len(view)} bytes were seen that are no whole picture")


def _is_whole(view: bytes) -> bool:
    """Of a variant that was taken back the ledger keeps no hash."""
    try:
        simplejpeg.decode_jpeg(view, "GRAY", strict=True)
    except ValueError:
        return False
    return view.startswith(_WHOLE_PICTURE[0]) and view.endswith(_WHOLE_PICTURE[1])


if __name__ == "__main__":
    sys.exit(main("races", torture, 10_000))
