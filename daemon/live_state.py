"""What a daemon is doing right now, in a small file of its runtime directory: the ledger stays alone while it idles."""

import json
import os
from pathlib import Path
from typing import Any, Final

from framekeep.errors import ConfigurationError

_FILE: Final = "state.json"
_START_TIME: Final = 21
"""The place of a process's start time in /proc/PID/stat, counted from 0, behind its name (proc(5))."""


class LiveState:
    """The daemon's side: writes the state when it has changed."""

    def __init__(self, runtime_directory: Path) -> None:
        try:
            runtime_directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the runtime_directory {runtime_directory} cannot be made: {error.strerror}"
            ) from error
        self._path = runtime_directory / _FILE
        self._written: dict[str, Any] | None = None
        self._process = {"pid": os.getpid(), "start_time": _start_time(os.getpid())}

    def write(self, state: dict[str, Any]) -> None:
        """Replaces the file, unless nothing has changed."""
        if state == self._written:
            return
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._process | state), encoding="utf-8")
        fresh.chmod(0o644)  # whatever the umask: `framekeep status` may be anybody's
        fresh.replace(self._path)
        self._written = state

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def read_live_state(runtime_directory: Path) -> dict[str, Any] | None:
    """The state of the daemon that is running; None where none is."""
    try:
        state: dict[str, Any] = json.loads((runtime_directory / _FILE).read_text(encoding="utf-8"))
        alive = state["start_time"] is not None and _start_time(state["pid"]) == state["start_time"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if alive else None


def _start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: with its number it names one process for good."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(text.rpartition(") ")[2].split()[_START_TIME - 2])
    except (OSError, ValueError, IndexError):
        return None
