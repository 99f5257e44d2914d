"""What the short forms share."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tortured() -> Callable[[str, int, int], dict[str, Any]]:
    """Runs a long form, shortly, as `make torture` does; it must end well. Returns what the run came to."""

    def run(name: str, count: int, seed: int) -> dict[str, Any]:
        command = [sys.executable, "-m", f"benchmarks.torture.{name}", f"--count={count}", f"--seed={seed}"]
        done = subprocess.run([*command, "--unrecorded"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        assert told["count"] == count
        return told["facts"]

    return run
