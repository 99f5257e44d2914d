"""Leaving the processors to others: every thread, and every child; each test in a process of its own."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

THREADS = """
import os, subprocess, sys, threading
from daemon.niceness import be_nice
started, end = threading.Event(), threading.Event()
def wait(): started.set(); end.wait()
threading.Thread(target=wait).start(); started.wait()
before = os.getpriority(os.PRIO_PROCESS, 0)
be_nice(before); be_nice(before + 3); be_nice(before + 1)
inner = [os.getpriority(os.PRIO_PROCESS, int(one)) - before for one in os.listdir("/proc/self/task")]
ask = "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"
child = int(subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True).stdout) - before
end.set()
print(inner, child)
"""
POOL = """
import asyncio, os
from daemon.niceness import be_nice
from daemon.apart import ProcessesApart
def asked(): return os.getpriority(os.PRIO_PROCESS, 0)
async def main():
    before = asked()
    first = ProcessesApart(1, 60); await first.pulse()
    be_nice(before + 3)
    second = ProcessesApart(1, 60)
    print(await second.run(os.getpriority, os.PRIO_PROCESS, 0) - before)
    first.close(); second.close()
if __name__ == "__main__":
    asyncio.run(main())
"""
# A filter as systemd's SystemCallFilter=~@resources makes one: setpriority fails, all else goes on.
REFUSED = """
import ctypes, struct, sys
number = int(sys.argv[1])
code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Filter(len(code), ctypes.addressof(program))), 0, 0) == 0
from daemon.niceness import be_nice
from framekeep.errors import ConfigurationError
be_nice(0)
try:
    be_nice(19)
except ConfigurationError as error:
    print(error)
"""
SETPRIORITY = {"x86_64": 141, "aarch64": 140}


def printed(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_every_thread_and_every_child_is_nicer_and_none_becomes_less_so():
    assert printed(THREADS) == "[3, 3] 3"


def test_squeezers_follow_a_reload(tmp_path):
    program = tmp_path / "pool.py"
    program.write_text(POOL)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "3"


@pytest.mark.skipif(platform.machine() not in SETPRIORITY, reason="the call's number is not known here")
def test_a_system_that_refuses_is_told_of_with_the_remedy():
    said = printed(REFUSED, str(SETPRIORITY[platform.machine()]))
    assert said.startswith("[service] nice = 19 cannot be had")
    assert "set Nice= in a drop-in" in said


COMMAND = """
import os, sys
from cli.main import run
before = os.getpriority(os.PRIO_PROCESS, 0)
code = run([sys.argv[1], "--config", sys.argv[2]])
print(code, os.getpriority(os.PRIO_PROCESS, 0) - before)
"""


@pytest.mark.parametrize("command", ["run", "sweep"])
def test_the_daemon_and_a_sweep_are_nice_before_they_begin(command: str, tmp_path: Path):
    """Here they end at once, since the root is missing."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    (tmp_path / "config.toml").write_text(f"[service]\nnice = {own + 2}\n")
    assert printed(COMMAND, command, str(tmp_path / "config.toml")) == "10 2"
