"""What a watcher cannot hear at present, in sentences that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

_SYSCTLS: Final = {errno.ENOSPC: "max_user_watches", errno.EMFILE: "max_user_instances"}
_LIMITS: Final = Path("/proc/sys/fs/inotify")

log = structlog.get_logger()


def fault(what: str, error: OSError | RecursionError) -> str:
    """One sentence: which pictures wait for the rescan, why, and what to do about it."""
    why, remedy = _explained(error)
    return f"{what} wait for the rescan ({why}): {remedy}"


def _explained(error: OSError | RecursionError) -> tuple[str, str]:
    if not isinstance(error, OSError):
        return str(error), "take away the folders that are nested so deep"
    if error.errno in _SYSCTLS:
        return _limit(_SYSCTLS[error.errno])
    return error.strerror or str(error), "check that they are there and that framekeep's user may read them"


def _limit(name: str) -> tuple[str, str]:
    sysctl = f"fs.inotify.{name}"
    try:
        value = int((_LIMITS / name).read_text())
    except (OSError, ValueError):  # a container may hide it
        return f"inotify's limit {sysctl} is reached", f"raise {sysctl}"
    return (
        f"inotify's limit {sysctl} = {value} is reached",
        f"raise it, with 'sysctl -w {sysctl}={2 * value}' and in /etc/sysctl.d",
    )


class Faults:
    """The faults of the present watch; each is logged once for as long as it lasts. Threads may add to it."""

    def __init__(self) -> None:
        self._present: dict[str, None] = {}
        self._told: set[str] = set()

    @property
    def text(self) -> str | None:
        return ". ".join(tuple(self._present)) or None

    def add(self, sentence: str, **facts: str) -> None:
        self._present[sentence] = None
        if sentence not in self._told:
            self._told.add(sentence)
            log.warning("watch_degraded", fault=sentence, **facts)

    @contextmanager
    def reviewed(self) -> Iterator[None]:
        """Faults that are not added again in this block have passed."""
        self._present = {}
        yield
        if self._told and not self._present:
            log.info("watch_recovered")
        self._told = set(self._present)
