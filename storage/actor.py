"""Who it is that asks for something, for the record."""

import os
import pwd
from pathlib import Path
from typing import Final

_LOGIN: Final = Path("/proc/self/loginuid")
_NOBODY: Final = 2**32 - 1


def who() -> str:
    """The user of this process and, where it is another, the one who logged in."""
    user, login = os.geteuid(), _login()
    return _name(user) if login in (None, user) else f"{_name(user)}, logged in as {_name(login)}"


def _login() -> int | None:
    """None for a service, which nobody logged in for."""
    try:
        login = int(_LOGIN.read_text())
    except (OSError, ValueError):
        return None
    return None if login == _NOBODY else login


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
