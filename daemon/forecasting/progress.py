"""A forecast under way, as others may watch it."""

import time
from collections import Counter
from dataclasses import dataclass, field

from daemon.walk import PassedOver


@dataclass(slots=True)
class Progress:
    """Only the thread that forecasts writes on it, but for `interrupted`."""

    max_seconds: float
    interrupted: bool = False
    found: int = 0
    """Pictures."""
    looked: int = 0
    reach: float | None = None
    """Half of the widest interval, as a fraction of its ratio; None: not yet known."""
    passed_over: Counter[PassedOver] = field(default_factory=Counter)
    """What was not entered."""
    started: float | None = None
    """When the first picture was looked at, by a clock that only goes forward."""

    def begin(self) -> None:
        self.started = time.monotonic()

    def seconds(self) -> float:
        """Since the first look."""
        return 0.0 if self.started is None else time.monotonic() - self.started

    def time_is_over(self) -> bool:
        return self.seconds() >= self.max_seconds
