"""What a check of an installation finds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from framekeep.errors import FramekeepError


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """framekeep works, but not as well as it could."""
    FAULT = "fault"
    """framekeep does not start, or replaces nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `framekeep doctor`. The sentence says what was found and, unless it is ok, what to do."""

    name: str
    state: State
    sentence: str
    exit_code: int = 0
    """What a fault ends the program with."""

    @classmethod
    def failed(cls, name: str, error: FramekeepError) -> Self:
        """The fault that a start would end with; all of a list on one line."""
        return cls(name, State.FAULT, str(error).replace("\n  ", "; "), error.exit_code)
