"""Working hours by the clocks of a zone, over midnight and where clocks are put forward and back."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.hours import ALL_DAY, WorkingHours
from daemon.hours_beginning import when_hours_begin

BERLIN = ZoneInfo("Europe/Berlin")
times = st.integers(0, 24 * 60 - 1)
moments = st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]).map(
    ZoneInfo
)


def hours(text: str, zone=UTC) -> WorkingHours:
    return WorkingHours.parse(text, zone)


def local(text: str, fold: int = 0) -> datetime:
    """A time on Berlin's clocks, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "within", "outside"),
    [
        ("22:00-06:00", ["22:00", "23:59", "00:00", "05:59"], ["06:00", "12:00", "21:59"]),
        ("08:30-17:00", ["08:30", "16:59"], ["08:29", "17:00", "00:00"]),
        ("18:00-24:00", ["18:00", "23:59"], ["00:00", "17:59"]),
        ("18:00-00:00", ["18:00", "23:59"], ["00:00", "17:59"]),
        (ALL_DAY, ["00:00", "23:59"], []),
    ],
)
def test_the_beginning_is_included_and_the_end_is_not(text: str, within: list[str], outside: list[str]):
    given = hours(text, BERLIN)
    assert [time for time in (*within, *outside) if given.hold(local(f"2026-02-01T{time}"))] == within


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("22-6", 'two times of day such as "22:00-06:00"'),
        ("", "two times of day"),
        ("22:00", "two times of day"),
        ("25:00-26:00", "two times of day"),
        ("24:00-06:00", "two times of day"),
        ("22:60-06:00", "two times of day"),
        ("22:00 - 06:00", "two times of day"),
        ("10pm-6am", "two times of day"),
        ("٢٢:00-06:00", "two times of day"),
        ("18:00-24:30", "should end at 24:00 at the latest"),
        ("06:00-06:00", "should not begin and end at the same time"),
    ],
)
def test_what_is_no_range_is_refused_in_words(text: str, fault: str):
    with pytest.raises(ValueError, match=fault):
        hours(text)


def test_clocks_that_are_put_forward_swallow_what_they_leave_out():
    """29 March 2026: 02:00 is followed by 03:00."""
    night = hours("22:00-02:30", BERLIN)
    assert night.hold(local("2026-03-29T01:59"))
    assert not night.hold(local("2026-03-29T03:00"))
    assert night.next_change(local("2026-03-29T01:00")) == local("2026-03-29T03:00")
    inside = hours("02:10-02:50", BERLIN)
    assert inside.next_change(local("2026-03-28T12:00")) == local("2026-03-30T02:10")


def test_an_hour_that_comes_twice_counts_twice():
    """25 October 2026: 03:00 is followed by 02:00."""
    night = hours("22:00-02:30", BERLIN)
    held = [night.hold(local(f"2026-10-25T{time}", fold)) for fold in (0, 1) for time in ("02:15", "02:45")]
    assert held == [True, False, True, False]
    assert night.next_change(local("2026-10-25T02:45", 0)) == local("2026-10-25T02:00", 1)


def test_a_whole_night_of_changed_clocks_is_one_night():
    night = hours("22:00-06:00", BERLIN)
    assert night.next_change(local("2026-03-28T22:00")) - local("2026-03-28T22:00") == timedelta(hours=7)
    assert night.next_change(local("2026-10-24T22:00")) - local("2026-10-24T22:00") == timedelta(hours=9)


def test_all_day_never_changes():
    assert hours(ALL_DAY).next_change(local("2026-02-01T12:00")) is None


@given(times, times, zones, moments)
def test_until_the_next_change_nothing_changes_and_then_it_does(begin: int, end: int, zone: ZoneInfo, moment: datetime):
    if begin == end:
        return
    given = WorkingHours(begin, end, zone)
    change = given.next_change(moment)
    assert change is not None
    assert moment < change <= moment + timedelta(days=4)
    assert given.hold(change) != given.hold(moment)
    step = (change - moment) / 7
    assert all(given.hold(moment + n * step) == given.hold(moment) for n in range(7))
    assert given.hold(change - timedelta(microseconds=1)) == given.hold(moment)


def noticed(texts: list[str], minutes: list[str]) -> int:
    """How many rescans are asked for while the clock shows these times, one after the other."""
    clock: Iterator[datetime] = (local(f"2026-02-01T{minute}") for minute in minutes)
    rescans: list[None] = []

    async def run() -> None:
        work = when_hours_begin(
            [hours(text, BERLIN) for text in texts], lambda: rescans.append(None), lambda: next(clock), 0
        )
        with pytest.raises(RuntimeError):  # the clock ends
            await work

    asyncio.run(run())
    return len(rescans)


def test_a_rescan_is_wanted_when_hours_begin_and_not_while_they_last_or_end():
    assert noticed(["22:00-23:00"], ["21:58", "21:59"]) == 0
    assert noticed(["22:00-23:00"], ["21:59", "22:00", "22:01", "23:00"]) == 1
    assert noticed(["22:00-23:00"], ["22:30", "22:31"]) == 0
    assert noticed(["22:00-23:00", "22:30-23:00"], ["21:00", "22:00", "22:30"]) == 2
    assert noticed(["22:00-23:00", ALL_DAY], ["21:59", "23:01"]) == 0


def test_hours_of_all_day_need_no_clock():
    asyncio.run(when_hours_begin([hours(ALL_DAY)], pytest.fail))
