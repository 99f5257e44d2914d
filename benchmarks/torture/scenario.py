"""Situations in which every single system call is counted: a site just before a start, and what happens during it."""

import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from benchmarks.torture.attaching import Call, Trial, attached
from benchmarks.torture.diary import Diary
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import SETTLE_SECONDS, config_of, ended, forked, racy_config_of, start
from benchmarks.torture.refusing import refuse
from benchmarks.torture.site import Site

CAMERA: Final = "gate"
INTRUDER: Final = "0.jpg"
INTRUDERS_SEED: Final = 99
_AS_EVER: Final[Mapping[str, Any]] = MappingProxyType({})
_EARLIER: Final[Mapping[str, Any]] = MappingProxyType({"ladder": [50]})
_LATER: Final[Mapping[str, Any]] = MappingProxyType(_EARLIER | {"stage": [{"from_days": 1e-7, "ladder": [10]}]})
"""Any picture is older."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Just before a call of this name about a path that holds this text; the first such call, or the second."""

    call: str
    about: str
    nth: int = 1

    def index(self, calls: Sequence[Call]) -> int:
        """Where it is among the calls. Raises IndexError."""
        return [number for number, call in enumerate(calls) if self._is(call)][self.nth - 1]

    def _is(self, call: Call) -> bool:
        return call.name == self.call and self.about in " ".join(call.paths)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A start with some pictures to replace.

    `filesystem`: one that cannot exchange two files (refusing.py). `fresh`: not even the ledger is there. `intruded`:
    just before the exchange the camera puts another picture in the place of the first. `crash`: an earlier start was
    killed there, so this one has to repair. `later`: the pictures were replaced before, and reach a later stage now.
    """

    name: str
    pictures: int = 1
    fresh: bool = False
    intruded: bool = False
    crash: Moment | None = None
    filesystem: str = ""
    later: bool = False

    @property
    def is_racy(self) -> bool:
        return self.filesystem != ""

    @property
    def is_quiet(self) -> bool:
        """Nothing happens while it runs: the camera had its hand in the start that was killed, if at all."""
        return not self.intruded or self.crash is not None


_EXCHANGE: Final = Moment("renameat2", f"/{CAMERA}/")
"""Or the move that takes its place."""
_LINK: Final = Moment("linkat", f"/{CAMERA}/")
_LINKED: Final = Moment("fsync", f"/{CAMERA}")
SCENARIOS: Final = (
    Scenario("two pictures are replaced", pictures=2),
    Scenario("the camera intrudes", intruded=True),
    Scenario("repair: not exchanged yet", crash=_EXCHANGE),
    Scenario("repair: exchanged, not in the vault yet", crash=Moment("renameat2", "/vault/")),
    Scenario("repair: in the vault, not confirmed yet", crash=Moment("fsync", "/.framekeep/vault")),
    Scenario("repair: a stranger came out", crash=replace(_EXCHANGE, nth=2), intruded=True),
    Scenario("the very first start", fresh=True),
    Scenario("a later stage", later=True),
    Scenario("a later stage: the camera intrudes", later=True, intruded=True),
    Scenario("a later stage: repair: not exchanged yet", later=True, crash=_EXCHANGE),
    Scenario("a later stage: repair: exchanged, not confirmed yet", later=True, crash=Moment("renameat", "/vault")),
    Scenario("a later stage: repair: a stranger came out", later=True, crash=replace(_EXCHANGE, nth=2), intruded=True),
    Scenario("on exFAT: two pictures are replaced", pictures=2, filesystem="exfat"),
    Scenario("on exFAT: the camera intrudes", intruded=True, filesystem="exfat"),
    Scenario("on exFAT: repair: out, not in", crash=replace(_EXCHANGE, nth=2), filesystem="exfat"),
    Scenario("on exFAT: repair: a stranger is out", crash=replace(_EXCHANGE, nth=2), intruded=True, filesystem="exfat"),
    Scenario("on NFS: two pictures are replaced", pictures=2, filesystem="nfs"),
    Scenario("on NFS: the camera intrudes", intruded=True, filesystem="nfs"),
    Scenario("on NFS: repair: out, not in", crash=_LINK, filesystem="nfs"),
    Scenario("on NFS: repair: in, with both names", crash=_LINKED, filesystem="nfs"),
    Scenario("on NFS: repair: a stranger is out", crash=_LINK, intruded=True, filesystem="nfs"),
    Scenario("on NFS: repair: a stranger is back, with both names", crash=_LINKED, intruded=True, filesystem="nfs"),
)


class Workshop:
    """Makes sites that are ready for a scenario, one after the other, and lets it happen there.

    Which call is the one at a moment, is learnt from a start that nothing happens to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._learnt: dict[Scenario, Trial] = {}
        self._first = Site(folder / "first").make()
        if ended(forked(self._first, lambda: started(self._first))) != 0:
            raise RuntimeError(self._first.log.read_text())

    def site(self, scenario: Scenario) -> Site:
        """Its pictures have settled; its ledger exists and is empty."""
        site = self.supplied(scenario)
        if scenario.crash:
            self.crashed(scenario, scenario.crash, site)
        return site

    def supplied(self, scenario: Scenario) -> Site:
        """The same before the crash."""
        self._made += 1
        site = Site(self._folder / str(self._made)).make()
        if not scenario.fresh:
            shutil.copytree(self._first.ledger.parent, site.ledger.parent)
        for number in range(scenario.pictures):
            deliver(site, f"{number}.jpg", drawn(number))
        time.sleep(SETTLE_SECONDS)
        if scenario.later and ended(forked(site, lambda: started(site, selection=_EARLIER))) != 0:
            raise RuntimeError(site.log.read_text())
        return site

    def crashed(self, scenario: Scenario, moment: Moment, site: Site) -> Trial:
        """The start that was killed."""
        before = replace(scenario, crash=None)
        calls = self._undisturbed(before).calls
        killer = calls[moment.index(calls)]
        trial = self.run(before, site, f"{killer.name}:signal=KILL:when={killer.ordinal}")
        if trial.code != -signal.SIGKILL:
            raise RuntimeError(f"{scenario.name}: the crash did not happen")
        return trial

    def run(self, scenario: Scenario, site: Site, *injections: str) -> Trial:
        """The start itself, under strace."""

        def work() -> int:
            return started(site, scenario.filesystem, _LATER if scenario.later else _AS_EVER)

        if scenario.is_quiet:
            return attached(site, work, *injections)
        stop = self.before_the_exchange(scenario)
        stopping = f"{stop.name}:signal=STOP:when={stop.ordinal}"
        return attached(site, work, *injections, stopping, during=lambda: _intrude(site))

    def window(self, scenario: Scenario) -> list[Call]:
        """The calls to walk over: of the replacement, or else of a repair or of a first opening."""
        trial = self._undisturbed(scenario)
        calls = [call for call in trial.calls if any("/incoming" in path or "/var" in path for path in call.paths)]
        if not scenario.is_quiet:
            taken = self.before_the_exchange(scenario).name  # strace injects one thing only into calls of one name
            return [call for call in calls[_EXCHANGE.index(calls) :] if call.name != taken]
        if scenario.fresh:
            return calls[: _index(calls, _scans)]
        if scenario.crash:
            return calls[_index(calls, _opens_staged) : _index(calls, _scans)]
        return calls[_index(calls, _stages) :]

    def _undisturbed(self, scenario: Scenario) -> Trial:
        if scenario not in self._learnt:
            site = self.site(scenario)
            trial = self.run(scenario, site)
            self._learnt[scenario] = replace(trial, calls=trial.below(site.folder))
        return self._learnt[scenario]

    def before_the_exchange(self, scenario: Scenario) -> Call:
        """A process that is stopped as it enters this call stops behind it."""
        alone = Scenario("one picture is replaced", filesystem=scenario.filesystem, later=scenario.later)
        calls = self._undisturbed(alone).calls
        return calls[_EXCHANGE.index(calls) - 1]


def started(site: Site, filesystem: str = "", selection: Mapping[str, Any] = _AS_EVER) -> int:
    """No process but this one works: variants are not progressive, so that no squeezer is needed."""
    encoder = {"progressive": False}
    if not filesystem:
        return start(config_of(site, encoder=encoder, selection=dict(selection)))
    refuse(filesystem)
    return start(racy_config_of(site, encoder=encoder))


def deliver(site: Site, name: str, picture: bytes) -> None:
    """Noted first, then there at once, by a rename."""
    folder = site.root / CAMERA
    folder.mkdir(exist_ok=True)
    Diary(site, CAMERA).note(f"{CAMERA}/{name}", picture)
    fresh = folder / f".{name}.part"
    fresh.write_bytes(picture)
    fresh.rename(folder / name)


def _intrude(site: Site) -> None:
    deliver(site, INTRUDER, drawn(INTRUDERS_SEED))


def _index(calls: Sequence[Call], first: Callable[[Call], bool]) -> int:
    return next(number for number, call in enumerate(calls) if first(call))


def _stages(call: Call) -> bool:
    return _opens_staged(call) and "O_EXCL" in call.arguments


def _opens_staged(call: Call) -> bool:
    return call.name == "openat" and "/staged/" in call.paths[0] and "probe-" not in call.paths[0]


def _scans(call: Call) -> bool:
    return call.name == "getdents64" and call.places[0].endswith("/incoming")
