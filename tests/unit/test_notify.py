"""systemd's notification protocol, spoken to a real socket."""

import os
import socket

import pytest

from daemon.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_a_message_arrives(tmp_path, abstract):
    name = f"framekeep-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}" if abstract else name)
        listener.settimeout(60)
        notifier = Notifier({"NOTIFY_SOCKET": f"@{name}" if abstract else name})
        notifier.tell(READY=1, STATUS="3 waiting")
        assert listener.recv(1000) == b"READY=1\nSTATUS=3 waiting"


def test_without_systemd_nothing_is_said():
    Notifier({}).tell(READY=1)


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "rubbish"}, None),
    ],
)
def test_how_often_the_watchdog_wants_to_hear(environ, seconds):
    assert Notifier(environ).watchdog_seconds == seconds
