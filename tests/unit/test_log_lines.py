"""Lines of the log."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
SAID = """
from daemon.log import configure, log
configure({format!r}, "info")
for level in ("debug", "info", "warning", "error", "critical", "exception"):
    getattr(log, level)("an event", fact=1)
print("goes on")
"""


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_full_disk_behind_stderr_stops_nothing(log_format: str):
    with FULL.open("w") as full:
        command = [sys.executable, "-c", SAID.format(format=log_format)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "goes on\n")
