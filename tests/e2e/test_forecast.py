"""A forecast on a terminal, and the Ctrl-C of somebody who has seen enough."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

PICTURES = 200
SOME = re.compile(rb"([5-9]|[1-9][0-9]+) of 200 looked at")


@pytest.fixture
def many(site, drawn):
    for seed in range(PICTURES):
        site.put(f"gate/{seed}.jpg", drawn(seed))
    return site


def test_ctrl_c_prints_what_is_known_by_then(many):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = many.start("forecast", many.root, "--json", stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    while not SOME.search(shown):  # the bar; a sample of 200 pictures takes seconds
        shown += os.read(ours, 4096)
    os.killpg(process.pid, 2)  # as a terminal does it: to all processes
    output, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 130
    told = json.loads(output)
    assert told["interrupted"]
    assert 0 < told["looked"] < PICTURES == told["pictures"]
    assert len(told["forecasts"]) in (6, 9)  # a detector may be here or not


def test_beside_a_daemon_and_on_a_terminal_it_fits(many, serving):
    with serving(many):
        code, shown = many.on_terminal("forecast", many.root / "gate", "--max-minutes", "0.05")
    assert code == 0
    assert "Recommended" in shown
    lines = [line for line in shown.splitlines() if line.startswith(("t1k", "t5k", "ttk", "pictures", "looked"))]
    assert len(lines) >= 6
    assert max(map(len, lines)) <= 80
