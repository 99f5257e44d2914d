from datetime import UTC, date, datetime

import pytest

from cli.days import day, midnight
from framekeep.errors import UsageError

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("2025-12-31", date(2025, 12, 31)), ("0d", TODAY), ("1d", date(2026, 2, 28)), ("365d", date(2025, 3, 1))],
)
def test_a_day_is_a_date_or_so_many_days_ago(text: str, meant: date):
    assert day(text, TODAY) == meant


def test_no_day_is_none():
    assert day(None, TODAY) is None
    assert midnight(None) is None


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "2026-02-30", "2026-03-01T12:00", "9999999999d", "d"])
def test_anything_else_is_told_with_what_is_allowed(text: str):
    with pytest.raises(UsageError, match="write a date such as 2026-03-01, or 7d"):
        day(text, TODAY)


def test_a_day_begins_at_midnight_utc():
    assert midnight(TODAY) == datetime(2026, 3, 1, tzinfo=UTC)
