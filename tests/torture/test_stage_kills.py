"""A later stage, killed before each system call that changes a file."""

import shutil
from pathlib import Path

import pytest

from benchmarks.torture.killcalls import _killed, changes
from benchmarks.torture.scenario import SCENARIOS, Scenario, Workshop

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


LATER = [scenario for scenario in SCENARIOS if scenario.later]
SOME = 6
"""Calls between two kills; `make torture` takes each."""


@pytest.mark.parametrize("scenario", LATER, ids=lambda scenario: scenario.name)
def test_whenever_it_is_killed_the_next_start_repairs_it(tmp_path: Path, scenario: Scenario):
    workshop = Workshop(tmp_path)
    calls = [call for call in workshop.window(scenario) if changes(call)]
    assert calls
    for call in calls[LATER.index(scenario) :: SOME]:
        verdict = _killed(workshop, scenario, call)
        assert verdict.is_clean, verdict.findings
