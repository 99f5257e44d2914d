"""Working hours: the part of each day in which pictures are shrunk."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, Self

ALL_DAY: Final = "00:00-24:00"

_FORM: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_DAY: Final = 24 * 60
_MINUTE: Final = timedelta(minutes=1)
_LONGEST: Final = 4 * _DAY
"""Minutes without a change: hours that a change of clocks swallows, or a day that a zone leaves out, are no end."""


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """From one time of day to another, by the clocks of a time zone; over midnight where the end is the smaller one.

    The clock on the wall decides, also where it is put forward or back: an hour that it leaves out does not come, and
    one that it shows twice comes twice.
    """

    begin: int
    """Minutes after midnight, 0 to 1439."""
    end: int
    """Minutes after midnight, 0 to 1440, not included."""
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> Self:
        """From "22:00-06:00". Raises ValueError with a sentence."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f'should be two times of day such as "22:00-06:00"; "{ALL_DAY}" is all day')
        hour, minute, last_hour, last_minute = map(int, found.groups())
        begin, end = 60 * hour + minute, 60 * last_hour + last_minute
        if end > _DAY:
            raise ValueError("should end at 24:00 at the latest; what ends the next morning ends at a smaller time")
        if begin == end:
            raise ValueError(f'should not begin and end at the same time; "{ALL_DAY}" is all day')
        return cls(begin, end, zone)

    @property
    def are_all_day(self) -> bool:
        return (self.begin, self.end) == (0, _DAY)

    def hold(self, moment: datetime) -> bool:
        """Whether an aware moment lies within them."""
        if self.are_all_day:
            return True
        local = moment.astimezone(self.zone)
        minute = 60 * local.hour + local.minute
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end

    def next_change(self, moment: datetime) -> datetime | None:
        """When they next begin or end after a moment in UTC; None where they never do.

        Minute by minute: whatever a zone's clocks do, this is when `hold` changes.
        """
        if self.are_all_day:
            return None
        minute, now = moment.replace(second=0, microsecond=0), self.hold(moment)
        for _ in range(_LONGEST):
            minute += _MINUTE
            if self.hold(minute) != now:
                return minute
        return None
