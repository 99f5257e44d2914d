"""A later stage, killed before each system call that changes a file; and its power cuts."""

import shutil
from pathlib import Path

import pytest

from benchmarks.torture.killcalls import _killed, changes
from benchmarks.torture.scenario import SCENARIOS, Scenario, Workshop

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.later], ids=lambda one: one.name)
def test_whenever_it_is_killed_the_next_start_repairs_it(tmp_path: Path, scenario: Scenario):
    workshop = Workshop(tmp_path)
    calls = [call for call in workshop.window(scenario) if changes(call)]
    assert calls
    for call in calls:
        verdict = _killed(workshop, scenario, call)
        assert verdict.is_clean, verdict.findings
