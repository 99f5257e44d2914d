"""How times are understood that do not say where they hold, and how names tell them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

_DIRECTIVES: Final = {"%Y": r"\d{4}", "%m": r"\d\d", "%d": r"\d\d", "%H": r"\d\d", "%M": r"\d\d", "%S": r"\d\d"}


@dataclass(frozen=True, slots=True)
class TimeRules:
    """What is configured about cameras' clocks and names."""

    zone: tzinfo
    """For times that do not tell theirs."""
    name_patterns: tuple[str, ...]
    """As for strptime; see `check_name_pattern`."""


def check_name_pattern(pattern: str) -> str:
    """The same pattern. Raises ValueError with a sentence for one that gives no whole time."""
    if sorted(re.findall(r"%.?", pattern)) != sorted(_DIRECTIVES):
        raise ValueError(f"should hold each of {' '.join(_DIRECTIVES)} once, and no other %")
    return pattern


def times_in_name(path: str, rules: TimeRules) -> Iterator[datetime]:
    """Every time that a path tells anywhere, without a zone."""
    for pattern in rules.name_patterns:
        for found in _looking_for(pattern).finditer(path):
            if time := moment([found[directive[1]] for directive in _DIRECTIVES]):
                yield time


def _looking_for(pattern: str) -> re.Pattern[str]:
    """Matches wherever the pattern begins, also within a longer row of digits and within another match."""
    expression = re.escape(pattern)
    for directive, digits in _DIRECTIVES.items():
        expression = expression.replace(directive, f"(?P<{directive[1]}>{digits})")
    return re.compile(f"(?={expression})", re.ASCII)


def moment(numbers: Sequence[str]) -> datetime | None:
    """Year, month, day, hour, minute and second; None where that is no time."""
    try:
        return datetime(*map(int, numbers))  # type: ignore[arg-type]  # noqa: DTZ001 - its zone is told elsewhere
    except (TypeError, ValueError):
        return None
