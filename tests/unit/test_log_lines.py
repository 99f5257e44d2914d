"""Lines of the log."""

import json
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


LIBRARIES = """
import logging
import warnings
from daemon.log import configure
for _ in range(2):  # as at a reload
    configure("json", {level!r})
logging.getLogger("apscheduler").info("Added job")
logging.getLogger("apscheduler").warning("Run time of job %s was missed", "rescan")
warnings.warn("Callback with id", stacklevel=1)
try:
    raise OSError("gone")
except OSError:
    logging.getLogger("watchdog").exception("it failed")
"""


@pytest.mark.parametrize(("level", "told"), [("info", 3), ("error", 1)])
def test_what_libraries_log_and_warn_of_is_json_too(level: str, told: int):
    command = [sys.executable, "-c", LIBRARIES.format(level=level)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    expected = [("apscheduler", "warning"), ("py.warnings", "warning"), ("watchdog", "error")][-told:]
    assert [(line["logger"], line["level"]) for line in lines] == expected
    assert "OSError: gone" in lines[-1]["exception"]
