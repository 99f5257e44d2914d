"""Whether the wall clock was set. What the vault holds since before then keeps its days, counted from that moment.

A machine whose clock does not run on while it is off starts at an old time, until the network tells the right one. What
it decided before would then be due at once. So the ledger remembers when the boot seemed to begin, by the wall clock:
that moment only moves where the clock is set, also while no framekeep runs.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from storage.ledger.schema import Base

TOLERATED: Final = timedelta(hours=1)
"""A clock that was set by less is taken for one that was only corrected."""
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class ClockRow(Base):
    """At most one: the machine's boot when the clock was last looked at, and when it was found to have been set."""

    __tablename__ = "clock"
    boot: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    set_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Boot:
    """What two clocks tell at one moment: the wall clock, and the one that counts from the start of the machine."""

    name: str
    began_at: datetime
    """By the wall clock of now."""

    @classmethod
    def read(cls, now: datetime) -> "Boot":
        since = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))  # it counts a suspended machine's time, too
        try:
            return cls(_BOOT.read_text("ascii").strip(), now - since)
        except OSError:  # all boots are one then, and each seems to have set the clock: that only makes originals stay
            return cls("", now - since)


def set_by(before: Boot, now: Boot) -> timedelta | None:
    """By how much the wall clock was set between two readings; None where it was not, or another boot came between."""
    by = now.began_at - before.began_at
    return by if before.name == now.name and abs(by) > TOLERATED else None


def observe(connection: Connection, now: datetime) -> timedelta | None:
    """Looks at the clocks, and remembers it where the wall clock was set since the last time: by how much."""
    boot = Boot.read(now)
    row = connection.execute(select(ClockRow.boot, ClockRow.began_at, ClockRow.set_at)).one_or_none()
    if row is None:
        connection.execute(insert(ClockRow).values(boot=boot.name, began_at=boot.began_at))
        return None
    by = set_by(Boot(row.boot, row.began_at), boot)
    if by is None and row.set_at and row.set_at > now:  # it was put back while the machine was off
        by = now - row.set_at
    if by is not None or boot.name != row.boot:
        set_at = row.set_at if by is None else now
        connection.execute(update(ClockRow).values(boot=boot.name, began_at=boot.began_at, set_at=set_at))
    return by


def set_at(connection: Connection) -> datetime | None:
    """When the wall clock was last found to have been set, by what it showed then."""
    return connection.scalar(select(ClockRow.set_at))
