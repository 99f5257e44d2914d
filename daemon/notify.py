"""systemd's notification protocol: one datagram to the socket that NOTIFY_SOCKET names."""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Tells systemd how the service is. Says nothing where systemd did not start it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        microseconds = (
            environ.get("WATCHDOG_USEC", "")
            if environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
            else ""
        )
        self.watchdog_seconds = int(microseconds) / 1e6 if microseconds.isdecimal() else None
        """How often systemd wants to hear from the watchdog; None: never."""

    def tell(self, **fields: str | int) -> None:
        """One message, such as READY=1 with STATUS="…"."""
        if not self._address:
            return
        message = "\n".join(f"{name}={value}" for name, value in fields.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagram:
            datagram.sendto(message.encode(), self._address)
