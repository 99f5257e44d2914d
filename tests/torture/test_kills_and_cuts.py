"""The short forms of kills, failing calls and power cuts."""

import shutil
from pathlib import Path

import pytest

from benchmarks.torture.driving import ended, forked
from benchmarks.torture.powercut_ext4 import possible
from benchmarks.torture.running import checked
from benchmarks.torture.scenario import SCENARIOS, Workshop, started
from framekeep.errors import LedgerError

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def test_kills_at_random_moments(tortured):
    facts = tortured("kill", 8, 1)
    assert facts["original"] + facts["variant"] > 8


@needs_strace
def test_kills_before_each_change(tortured):
    tortured("killcalls", 10, 5)


@needs_strace
def test_calls_that_fail(tortured):
    tortured("faults", 12, 60)


@needs_strace
def test_power_cuts(tortured):
    tortured("powercut", 8, 1)


@needs_strace
@pytest.mark.skipif(not possible(), reason="needs root, loop devices and mkfs.ext4")
def test_power_cuts_on_a_real_filesystem(tortured):
    tortured("powercut_ext4", 4, 3)


@needs_strace
def test_a_repair_gives_no_original_up_that_it_cannot_read_now(tmp_path: Path):
    workshop = Workshop(tmp_path)
    (scenario,) = (scenario for scenario in SCENARIOS if scenario.name == "repair: in the vault, not confirmed yet")
    look = next(call for call in workshop.window(scenario) if call.name == "openat" and "/vault/" in call.paths[0])
    site = workshop.site(scenario)
    failing = workshop.run(scenario, site, f"openat:error=EIO:when={look.ordinal}")
    assert failing.code == LedgerError.exit_code
    assert checked(site, crashed=True).counts == {"variant": 1, "open_plans": 1}
    assert ended(forked(site, lambda: started(site))) == 0
    assert checked(site).counts == {"variant": 1}
