"""What policies keep from being shrunk at present, as framekeep status tells it."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from daemon.config.hours import ALL_DAY, WorkingHours
from daemon.config.schema import Config


def standing(config: Config, now: datetime) -> dict[str, Any]:
    """In JSON; `now` is in UTC."""
    numbered = list(enumerate(config.policy, 1))
    hours = [(None, config.selection.hours), *((number, block.hours) for number, block in numbered if block.hours)]
    return {
        "excluded": [{"policy": number, "match": list(block.match)} for number, block in numbered if block.exclude],
        "hours": [_hours(config, number, text, now) for number, text in hours if text != ALL_DAY],
    }


def _hours(config: Config, number: int | None, text: str, now: datetime) -> dict[str, Any]:
    """`policy` is null for what no policy has other hours for."""
    hours = WorkingHours.parse(text, config.holds.rules.zone)
    change = hours.next_change(now)
    return {
        "policy": number,
        "hours": text,
        "timezone": config.holds.timezone,
        "open": hours.hold(now),
        "changes_at": change.isoformat() if change else None,
    }


def sentences(config: Config, now: datetime) -> Iterator[tuple[str, str]]:
    """What is told, and the sentence."""
    told = standing(config, now)
    for one in told["excluded"]:
        yield "excluded", f"{', '.join(one['match'])} (policy #{one['policy']})"
    for one in told["hours"]:
        yield "hours", _sentence(one, config.holds.rules.zone)


def _sentence(hours: dict[str, Any], zone: tzinfo) -> str:
    state = "open" if hours["open"] else "closed, nothing is shrunk"
    change = hours["changes_at"]
    until = f" until {datetime.fromisoformat(change).astimezone(zone):%H:%M}" if change else ""
    where = f"policy #{hours['policy']}" if hours["policy"] else "where no policy says otherwise"
    return f"{state}{until}: {hours['hours']} {hours['timezone']} ({where})"
