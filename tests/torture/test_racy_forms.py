"""The short forms of kills and races where files are replaced in two steps, and what the checker then lets pass."""

import shutil
from pathlib import Path

import pytest

from benchmarks.torture.driving import ended, forked
from benchmarks.torture.refusing import possible
from benchmarks.torture.running import checked
from benchmarks.torture.scenario import SCENARIOS, Scenario, Workshop, started

pytestmark = pytest.mark.skipif(not possible(), reason="this machine has no seccomp")

CRASHES = [scenario for scenario in SCENARIOS if scenario.is_racy and scenario.crash]


def test_kills_at_random_moments_of_replacements_in_two_steps(tortured):
    facts = tortured("racy", 8, 1)
    assert facts["original"] + facts["variant"] > 8


def test_races_with_replacements_in_two_steps(tortured):
    facts = tortured("racy_races", 500, 3)
    assert min(facts[deed] for deed in ("rewrite", "append", "rename_over", "delete", "symlink", "folder", "chmod")) > 5
    assert facts["variant"] > 10  # of about 25: in most races the camera wins


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("scenario", CRASHES, ids=lambda scenario: scenario.name)
def test_after_a_crash_between_the_steps(scenario: Scenario, tmp_path: Path):
    """Before the repair only the racy checker lets it pass that nothing is there; after it everybody is content."""
    site = Workshop(tmp_path).site(scenario)
    is_out = not (site.root / "gate/0.jpg").exists()
    assert is_out == ("both names" not in scenario.name)
    assert checked(site, crashed=True).is_clean is not is_out
    assert checked(site, crashed=True, racy=True).is_clean
    assert not is_out or not checked(site, racy=True).is_clean
    assert ended(forked(site, lambda: started(site, scenario.filesystem))) == 0
    assert checked(site).is_clean
