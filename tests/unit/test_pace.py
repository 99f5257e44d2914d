"""How fast bytes may go."""

import asyncio
import time
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.pace import Bandwidth, Pace

RATE = 1000.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_bytes_wait_until_their_time_has_passed():
    clock = Clock()
    pace = Pace(RATE, clock)
    assert pace.delay(500) == 0.5
    assert pace.delay(1000) == 1.5
    clock.now = 1.5
    assert pace.delay(100) == pytest.approx(0.1)


def test_a_long_pause_is_no_licence_for_more_than_a_second():
    clock = Clock()
    pace = Pace(RATE, clock)
    clock.now = 3600.0
    assert pace.delay(1000) == 0
    assert pace.delay(1000) == 1


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 5000)), min_size=1, max_size=30))
def test_what_has_waited_never_exceeds_the_pace_by_more_than_a_second(asked: list[tuple[float, int]]):
    """Each asks a while after the one before it, which need not have finished waiting."""
    clock = Clock()
    pace = Pace(RATE, clock)
    done = []
    for pause, size in asked:
        clock.now += pause
        done.append(clock.now + pace.delay(size))
    for moment, total in zip(done, accumulate(size for _, size in asked), strict=True):
        assert total <= RATE * (moment + 1) + 1e-6


def test_those_in_flight_share_one_bandwidth():
    async def spent() -> float:
        bandwidth, started = Bandwidth(10_000), time.monotonic()
        await asyncio.gather(*(bandwidth.spend(1000) for _ in range(3)))
        return time.monotonic() - started

    assert asyncio.run(spent()) >= 0.29


def test_without_a_limit_or_when_it_is_lifted_nobody_waits():
    async def spent() -> None:
        await Bandwidth(0).spend(10**12)
        bandwidth = Bandwidth(1)
        waiting = asyncio.create_task(bandwidth.spend(10**9))
        await asyncio.sleep(0)
        assert not waiting.done()
        bandwidth.lift()
        await asyncio.wait_for(waiting, 60)
        await asyncio.wait_for(bandwidth.spend(10**9), 60)

    asyncio.run(spent())
