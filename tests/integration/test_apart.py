"""Processes that squeeze: what one of them does for too long, or not at all, stops nothing else."""

import asyncio
import multiprocessing
import os
import signal
import tempfile
import time

import numpy as np
import pytest
from PIL import Image

from daemon.apart import ProcessesApart
from daemon.stages import Stages
from framekeep.jpeg.codec import encode
from framekeep.jpeg.squeeze import squeeze
from framekeep.ladder import Rung
from framekeep.reasons import Kept, Reason


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A picture that takes a good part of a second."""
    noise = np.random.default_rng(1).integers(0, 256, (1500, 2000, 3), np.uint8)
    return encode(Image.fromarray(noise), Rung(95), "4:4:4")


@pytest.fixture
def pool():
    pools = []

    def made(max_seconds: float) -> ProcessesApart:
        pools.append(ProcessesApart(1, max_seconds))
        return pools[-1]

    yield made
    for one in pools:
        one.close()


def test_a_picture_that_takes_too_long_is_not_squeezed_and_the_next_ones_are(slow, pool, photograph):
    async def squeezed():
        one = pool(0.5)
        return await one.squeeze(slow), await one.squeeze(photograph(1))

    assert asyncio.run(squeezed()) == (None, squeeze(photograph(1)))


def test_what_ends_its_process_ends_nothing_else(pool, photograph):
    async def worked():
        one = pool(60)
        with pytest.raises(Kept, match="crashed"):
            await one.run(os._exit, 1)
        return await one.run(squeeze, photograph(1))

    assert asyncio.run(worked()) == squeeze(photograph(1))


def test_nothing_that_a_process_wrote_outlives_it(pool, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def worked():
        for seconds, work in ((0.5, hang), (60, die)):
            with pytest.raises(Kept) as kept:
                await pool(seconds).run(leave_a_file, work)
            yield kept.value.reason
        yield [*tmp_path.rglob("*.jpg")]

    async def told():
        return [one async for one in worked()]

    assert asyncio.run(told()) == [Reason.TOO_SLOW, Reason.CRASHED, []]


def test_nothing_outlives_a_killed_parent_either(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    parent = multiprocessing.get_context("spawn").Process(target=hang_apart)
    parent.start()
    await_that(lambda: [*tmp_path.rglob("*.jpg")])
    parent.kill()
    parent.join()
    await_that(lambda: not [*tmp_path.glob("framekeep-apart-*")])


def await_that(happens) -> None:
    deadline = time.monotonic() + 120
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def hang_apart() -> None:
    asyncio.run(ProcessesApart(2, 60).run(leave_a_file, hang))


def leave_a_file(then) -> None:
    with tempfile.NamedTemporaryFile(suffix=".jpg", delete=False) as file:
        file.write(b"a picture")
        file.flush()
        then()


def hang() -> None:
    time.sleep(60)


def die() -> None:
    os._exit(1)


def test_in_time_it_is_squeezed(slow, pool):
    assert asyncio.run(pool(60).squeeze(slow)) == squeeze(slow)


def test_the_pulse_goes_through_the_squeezers(photograph):
    async def pulses(stages: Stages) -> None:
        await stages.squeeze(photograph(1))
        await stages.pulse()
        mine = [child.pid for child in multiprocessing.active_children() if child.pid not in others]
        try:
            for process in mine:
                os.kill(process, signal.SIGSTOP)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await stages.pulse()
        finally:
            for process in mine:
                os.kill(process, signal.SIGCONT)
        await stages.pulse()

    others = {child.pid for child in multiprocessing.active_children()}
    with Stages(batch=1, pixels_in_flight=10**6, max_seconds=60) as stages:
        asyncio.run(pulses(stages))
