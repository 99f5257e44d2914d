"""Which pictures that were decided for good are looked at again when the configuration changes."""

import time
from contextlib import suppress

import pytest

from framekeep.errors import StuckError


@pytest.fixture
def with_others(site, photograph):
    """One picture that may break a limit, among others that are decided for good."""
    site.configure(vault={"floor_megabytes": 0})
    for name, data in {"text": b"no picture", "whole": photograph(1), "half": photograph(2)[:1000]}.items():
        site.add(f"gate/{name}.jpg", data)
    return site


@pytest.mark.parametrize("limit", [{"max_megapixels": 0.01}, {"max_megabytes": 0.004}])
def test_a_higher_limit_brings_back_what_was_too_large_and_nothing_else(with_others, photograph, limit):
    large = with_others.add("gate/large.jpg", photograph(3, quality=100))
    given = {"vault": {"floor_megabytes": 0}}
    with_others.configure(**given, limits=limit)
    with_others.sweep()
    assert with_others.sweep().tally.reasons == {}
    with_others.configure(**given, limits=dict.fromkeys(limit, 10))
    again = with_others.sweep().tally
    assert "too_large" not in again.reasons
    assert again.replaced == sum(again.reasons.values())
    assert large.stat().st_size < len(photograph(3, quality=100))
    assert with_others.sweep().tally.reasons == {}


def test_more_time_brings_back_what_was_too_slow_and_nothing_else(with_others, steadfast):
    class Slow(steadfast):
        def prepare(self, image):
            time.sleep(1.5)
            return super().prepare(image)

    given = {"vault": {"floor_megabytes": 0}}
    with_others.configure(**given, limits={"max_seconds": 1})
    with suppress(StuckError):
        with_others.sweep(Slow())
    with_others.sweep()
    assert with_others.decisions("gate/whole.jpg")[0].reason.word == "too_slow"
    with_others.configure(**given, limits={"max_seconds": 30})
    assert with_others.sweep().tally.reasons == {"qualified": 1}
