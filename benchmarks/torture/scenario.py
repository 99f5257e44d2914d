"""Situations in which every single system call is counted: a site just before a start, and what happens during it."""

import shutil
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.torture.attaching import Call, Trial, attached
from benchmarks.torture.diary import Diary
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import SETTLE_SECONDS, config_of, ended, forked, start
from benchmarks.torture.site import Site

CAMERA: Final = "gate"
_INTRUSION: Final = "utimensat:signal=STOP:when=1"
"""The variant of the first picture is all but staged."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Just before a call of this name about a path that holds this text; the first such call, or the second."""

    call: str
    about: str
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """A start with some pictures to replace.

    `fresh`: not even the ledger is there. `intruded`: while the variant of the first picture is being staged, the
    camera puts another picture in its place. `crash`: an earlier start was killed there, so this one has to repair.
    """

    name: str
    pictures: int = 1
    fresh: bool = False
    intruded: bool = False
    crash: Moment | None = None

    def run(self, site: Site, *injections: str) -> Trial:
        """The start itself, under strace."""
        if self.intruded and not self.crash:
            injections = (_INTRUSION, *injections)
            return attached(site, lambda: started(site), *injections, during=lambda: _intrude(site))
        return attached(site, lambda: started(site), *injections)

    def window(self, site: Site, trial: Trial) -> list[Call]:
        """The calls that are walked over: those of the replacement, or those of a repair or of a first opening."""
        calls = [call for call in trial.below(site.folder) if str(site.log) not in call.paths]
        window = calls[next(index for index, call in enumerate(calls) if self._begins(site, call)) :]
        if self.crash or self.fresh:
            return window[: next(index for index, call in enumerate(window) if _scans(site, call))]
        return window

    def _begins(self, site: Site, call: Call) -> bool:
        if self.fresh:
            return True
        if self.crash:
            return call.name == "flock"
        first = call.name == "utimensat" if self.intruded else "O_EXCL" in call.arguments
        return first and call.paths[0].startswith(f"{site.own}/staged/")


SCENARIOS: Final = (
    Scenario("two pictures are replaced", pictures=2),
    Scenario("the camera intrudes", intruded=True),
    Scenario("repair: not exchanged yet", crash=Moment("renameat2", "/gate/")),
    Scenario("repair: exchanged, not in the vault yet", crash=Moment("renameat2", "/vault/")),
    Scenario("repair: in the vault, not confirmed yet", crash=Moment("fsync", "/.framekeep/vault")),
    Scenario("repair: a stranger came out", crash=Moment("renameat2", "/gate/", nth=2), intruded=True),
    Scenario("the very first start", fresh=True),
)


class Workshop:
    """Makes sites that are ready for a scenario, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._injections: dict[Scenario, str] = {}
        self._first = Site(folder / "first").make()
        if ended(forked(self._first, lambda: started(self._first))) != 0:
            raise RuntimeError(self._first.log.read_text())

    def site(self, scenario: Scenario) -> Site:
        """Its pictures have settled; its ledger exists and is empty."""
        site = self._supplied(scenario)
        if scenario.crash:
            killed = replace(scenario, crash=None).run(site, self._injection(scenario, scenario.crash))
            if killed.code != -signal.SIGKILL:
                raise RuntimeError(f"{scenario.name}: the crash did not happen")
        return site

    def window(self, scenario: Scenario) -> list[Call]:
        """The calls of a scenario that nothing happens to."""
        site = self.site(scenario)
        return scenario.window(site, scenario.run(site))

    def _supplied(self, scenario: Scenario) -> Site:
        self._made += 1
        site = Site(self._folder / str(self._made)).make()
        if not scenario.fresh:
            shutil.copytree(self._first.ledger.parent, site.ledger.parent)
        for number in range(scenario.pictures):
            deliver(site, f"{number}.jpg", drawn(number))
        time.sleep(SETTLE_SECONDS)
        return site

    def _injection(self, scenario: Scenario, moment: Moment) -> str:
        """Which call that is, is learnt from a start that nothing happens to."""
        if scenario not in self._injections:
            window = self.window(replace(scenario, crash=None))
            calls = [call for call in window if call.name == moment.call and moment.about in " ".join(call.paths)]
            self._injections[scenario] = f"{moment.call}:signal=KILL:when={calls[moment.nth - 1].ordinal}"
        return self._injections[scenario]


def started(site: Site) -> int:
    """No process but this one works: variants are not progressive, so that no squeezer is needed."""
    return start(config_of(site, encoder={"progressive": False}))


def deliver(site: Site, name: str, picture: bytes) -> None:
    """Noted first, then there at once, by a rename."""
    folder = site.root / CAMERA
    folder.mkdir(exist_ok=True)
    Diary(site, CAMERA).note(f"{CAMERA}/{name}", picture)
    fresh = folder / f".{name}.part"
    fresh.write_bytes(picture)
    fresh.rename(folder / name)


def _intrude(site: Site) -> None:
    deliver(site, "0.jpg", drawn(99))


def _scans(site: Site, call: Call) -> bool:
    return call.name == "getdents64" and call.places == (str(site.root),)
