"""Whether policies mean what their writer thinks: cameras that are not there, and hours by which clocks."""

import os
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from daemon.checks.check import Check, State
from daemon.config.hours import ALL_DAY
from daemon.config.matches import folder_of
from daemon.config.schema import Config
from daemon.config.staging import PolicyBlock
from daemon.config.values import zone_of


def check_policies(config: Config) -> Iterator[Check]:
    """Nothing here keeps a daemon from starting: a camera may come later, and must meet its policy then."""
    told = list(unknown_cameras(config))
    yield from told
    if config.policy and not told:
        yield Check("policies", State.OK, "every camera that they name is there")
    yield from check_hours(config)


def unknown_cameras(config: Config) -> Iterator[Check]:
    """One for each policy that names some."""
    there = _cameras(config.watch.roots)
    for number, block in enumerate(config.policy, 1):
        if check := _unknown(number, block, there):
            yield check


def _unknown(number: int, block: PolicyBlock, there: Collection[str]) -> Check | None:
    named = {folder_of(pattern).split("/")[0]: None for pattern in block.match if not pattern.startswith("!")}
    unknown = [camera for camera in named if camera and camera.lower() not in there]
    if not unknown:
        return None
    sentence = f"#{number} is for {', '.join(unknown)}, which no root has yet: see whether the name is right"
    return Check("policies", State.WARNING, sentence)


def _cameras(roots: Sequence[Path]) -> set[str]:
    """The folders of all roots that can be read, in small letters, as patterns regard no case."""
    found: set[str] = set()
    for root in roots:
        try:
            with os.scandir(root) as entries:
                found |= {entry.name.lower() for entry in entries if entry.is_dir()}
        except OSError:  # which the check of the roots tells
            continue
    return found


def check_hours(config: Config) -> Iterator[Check]:
    """By whose clocks they are meant."""
    hours = {config.selection.hours, *(block.hours for block in config.policy if block.hours)} - {ALL_DAY}
    if not hours:
        return
    name, zone = config.holds.timezone, zone_of(config.holds.timezone)
    now = f"{datetime.now(UTC).astimezone(zone):%H:%M}"
    sentence = f"{', '.join(sorted(hours))} by the clocks of {name}, where it is {now} now"
    if "timezone" in config.holds.model_fields_set:
        yield Check("hours", State.OK, sentence)
    else:
        yield Check("hours", State.WARNING, f"{sentence}: set [holds] timezone, so that they mean yours")
