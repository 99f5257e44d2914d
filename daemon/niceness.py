"""How much this process leaves the processors to others."""

import os
from pathlib import Path
from typing import Final

from framekeep.errors import ConfigurationError

_THREADS: Final = Path("/proc/self/task")


def be_nice(niceness: int) -> None:
    """Gives every thread of this process at least this niceness; what they start from now on inherits it.

    None becomes less nice, which takes a privilege. Raises ConfigurationError where the system refuses.
    """
    for thread in _THREADS.iterdir():  # on Linux each thread has a niceness of its own
        try:
            if os.getpriority(os.PRIO_PROCESS, int(thread.name)) < niceness:
                os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)
        except ProcessLookupError:  # it has ended
            continue
        except PermissionError as error:
            raise ConfigurationError(
                f"[service] nice = {niceness} cannot be had, since this system lets the process not change its own "
                "(the systemd unit does not): set Nice= in a drop-in of the unit instead, and nice = 0"
            ) from error
