"""The short forms of races, bad inputs, full disks and the long day."""

import pytest

from benchmarks.torture.fulldisk import available


def test_races_at_each_step(tortured):
    facts = tortured("races", 500, 3)
    assert min(facts[deed] for deed in ("rewrite", "append", "rename_over", "delete", "symlink", "folder", "chmod")) > 5
    assert facts["variant"] > 10  # of about 25: in most races the camera wins


def test_bad_inputs(tortured):
    facts = tortured("inputs", 600, 3)
    assert facts["decoded_again"] == facts["variant"] > 20
    assert facts["most_mib_in_the_end"] < 300


@pytest.mark.skipif(not available(), reason="needs root, and mounts in a namespace")
def test_a_full_disk(tortured):
    facts = tortured("fulldisk", 8, 3)
    assert facts["original"] > 0
    assert facts["variant"] > 0


def test_a_day_in_fast_motion(tortured):
    facts = tortured("longrun", 600, 3)
    assert facts["variant"] > 500
