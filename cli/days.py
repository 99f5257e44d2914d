"""Days as people name them."""

import re
from datetime import UTC, date, datetime, time, timedelta

from framekeep.errors import UsageError


def day(text: str | None, today: date) -> date | None:
    """A date such as 2026-03-01, or how long ago, such as 7d. Raises UsageError."""
    if text is None:
        return None
    try:
        if ago := re.fullmatch(r"(\d+)d", text):
            return today - timedelta(days=int(ago[1]))
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no day: write a date such as 2026-03-01, or 7d for seven days ago") from None


def midnight(day: date | None) -> datetime | None:
    """When a day begins, UTC."""
    return None if day is None else datetime.combine(day, time(), UTC)
