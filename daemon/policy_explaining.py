"""Which policy holds for a picture's path, what follows from it, and what clocks and ages say at a moment."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from daemon.config.hours import WorkingHours
from daemon.config.origins import Value, values_of
from daemon.config.policy import PolicyBook
from daemon.config.schema import Config
from daemon.config.staging import PolicyBlock, StageBlock
from daemon.names import NameFilter
from storage.records import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)
"""For times behind the calendar's end."""


@dataclass(frozen=True, slots=True)
class Now:
    """What holds for the picture at a moment."""

    at: datetime
    exists: bool
    """Something stands at the path."""
    is_watched: bool
    """[watch] takes a file of this name for a picture."""
    is_excluded: bool
    hours: WorkingHours
    hours_change_at: datetime | None
    """When they next begin or end; None: they are all day."""
    too_young_until: datetime | None
    """None: it is old enough, or not there."""
    stage: StageBlock | None
    """The one that it has reached by its age; None: none, or it is not there."""

    @property
    def is_outside_hours(self) -> bool:
        return not self.hours.hold(self.at)

    @property
    def is_shrunk(self) -> bool:
        """Whether nothing in the configuration keeps it from being shrunk now."""
        return self.is_watched and not (self.is_excluded or self.is_outside_hours or self.too_young_until)


@dataclass(frozen=True, slots=True)
class PolicyExplained:
    """`index` is that of the block that holds, counted from 0; None where none matches."""

    place: Place
    blocks: Sequence[PolicyBlock]
    index: int | None
    values: Sequence[Value]
    now: Now

    @property
    def passed(self) -> Sequence[PolicyBlock]:
        """The blocks that come first and do not match."""
        return self.blocks[: self.index]


def explain_policy(config: Config, place: Place, at: datetime) -> PolicyExplained:
    """Looks at the file's time alone; nothing need be there. `at` is in UTC. Raises UsageError for a folder."""
    book = PolicyBook(config)
    index, policy = book.index_of(place.path), book.for_path(place.path)
    changed = _changed_at(place)
    old_enough_at = _later(changed, policy.min_age_days) if changed else None
    block = None if index is None else config.policy[index]
    stage = _reached((config.selection.stage or ()) if block is None else config.stages_of(block), changed, at)
    now = Now(
        at=at,
        exists=changed is not None,
        is_watched=NameFilter(config.watch.include, config.watch.ignore).picture(place.path),
        is_excluded=policy.exclude,
        hours=policy.hours,
        hours_change_at=policy.hours.next_change(at),
        too_young_until=old_enough_at if old_enough_at and old_enough_at > at else None,
        stage=stage,
    )
    return PolicyExplained(place, config.policy, index, list(values_of(config, index, stage)), now)


def _reached(stages: Sequence[StageBlock], changed: datetime | None, at: datetime) -> StageBlock | None:
    reached = [stage for stage in stages if changed and _later(changed, stage.from_days) <= at]
    return reached[-1] if reached else None


def _changed_at(place: Place) -> datetime | None:
    """None where nothing is there."""
    try:
        status = os.lstat(f"{place.root}/{place.path}")
    except OSError:
        return None
    try:
        return _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
    except OverflowError:
        return _LAST


def _later(moment: datetime, days: float) -> datetime:
    return moment + timedelta(days=days) if moment < _LAST - timedelta(days=days) else _LAST
