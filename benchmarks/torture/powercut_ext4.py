"""Power cuts on a real ext4: only what its journal had sent to the disk is there when it is mounted again.

usage: python -m benchmarks.torture.powercut_ext4 [--count CUTS] [--seed PIECE]     (as root)

The site lies on a small image, mounted by loop. strace kills the process as it enters a call that changes something;
the image is copied at that moment, as the block layer has it, and the copy takes its place. What a real filesystem
does with its journal and with a disk that loses nothing it was sent, stands here for what powercut.py assumes.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.torture.attaching import Call
from benchmarks.torture.driving import PARTIAL, ended, forked
from benchmarks.torture.killcalls import changes
from benchmarks.torture.running import checked, main, piece
from benchmarks.torture.scenario import SCENARIOS, Scenario, Workshop, started
from benchmarks.torture.verdict import Verdict, found

MEGABYTES: Final = 2048
"""Of which little is used; framekeep wants some free."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A filesystem in a file."""

    image: Path
    place: Path

    @contextmanager
    def mounted(self) -> Iterator[None]:
        with self.image.open("wb") as file:
            file.truncate(MEGABYTES << 20)
        _run("mkfs.ext4", "-q", "-F", self.image)
        self.place.mkdir()
        self._mount()
        try:
            yield
        finally:
            self._unmount()

    def cut(self) -> None:
        """What was not sent to it is gone."""
        left = self.image.with_suffix(".left")
        _run("cp", "--sparse=always", self.image, left)
        self._unmount()
        left.replace(self.image)
        self._mount()

    def _unmount(self) -> None:
        """A process that is on its way out may still hold the old image, which nobody looks at any more."""
        _run("umount", "--lazy", self.place)

    def _mount(self) -> None:
        _run("mount", "-o", "loop", self.image, self.place)


def possible() -> bool:
    """Whether this machine can do it."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and shutil.which("mkfs.ext4") is not None


def torture(folder: Path, cuts: int, part: int) -> Verdict:
    disk = Disk(folder / "image", folder / "disk")
    total = Verdict()
    with disk.mounted():
        workshop = Workshop(disk.place)
        for scenario, call in piece(list(_cuts(workshop)), cuts, part):
            total += _cut(disk, workshop, scenario, call)
    return total


def _cuts(workshop: Workshop) -> Iterator[tuple[Scenario, Call]]:
    """Not where the camera has its hand in it: to have its files on the disk, it would have to sync ours."""
    for scenario in SCENARIOS:
        if not scenario.intruded:
            yield from ((scenario, call) for call in workshop.window(scenario) if changes(call))


def _cut(disk: Disk, workshop: Workshop, scenario: Scenario, call: Call) -> Verdict:
    """Killed and cut, looked at, started again, looked at strictly."""
    site = workshop.supplied(scenario)
    os.sync()
    if scenario.crash:
        workshop.crashed(scenario, scenario.crash, site)
    trial = workshop.run(scenario, site, f"{call.name}:signal=KILL:when={call.ordinal}")
    if trial.code != -signal.SIGKILL:
        return found("damaged", f"{scenario.name}: ended with {trial.code} instead of being killed in {call.name}")
    disk.cut()
    verdict = found("trials") + checked(site, crashed=True, racy=scenario.is_racy)
    code = ended(forked(site, lambda: started(site, scenario.filesystem)))
    if code not in {0, PARTIAL}:
        verdict += found("damaged", f"the next start ended with exit code {code}")
    verdict += checked(site)
    shutil.rmtree(site.folder)
    return verdict.during(f"{scenario.name}, cut before {call.name} {call.ordinal}")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main("powercut_ext4", torture, 300))
