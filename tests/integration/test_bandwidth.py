"""A limit of bytes a second for all that is read and written: it makes work last, and not the end."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from daemon.house import House, opened
from daemon.journal import Journal
from daemon.notify import Notifier
from daemon.pace import Bandwidth
from daemon.pipeline import Pipeline
from daemon.replacing import Replacing
from daemon.reporting import Counted
from daemon.scanning import Scan
from daemon.serving import serve
from daemon.stages import Stages

SECTIONS = {"vault": {"floor_megabytes": 0}}


class Spent(Bandwidth):
    """Without a limit; remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__(0)
        self.sizes: list[int] = []

    async def spend(self, size: int) -> None:
        self.sizes.append(size)
        await super().spend(size)


def test_each_picture_counts_when_it_is_read_and_each_variant_when_it_is_written(filled, steadfast):
    bandwidth = Spent()

    async def worked(house: House) -> None:
        journal = Journal(house.writer, house.ledger)
        with Stages(4, 10**8, 60, bandwidth) as stages:
            acting = Replacing(stages, journal, house.roots, house.holds)
            pipeline = Pipeline(stages, acting, house.rules, lambda _sheet, _draft: None)
            scan = Scan(house.names, house.rules, journal.known, lambda _size: None)
            (root,) = house.roots.values()
            await pipeline.run(scan.below(root))

    with opened(filled.config, steadfast()) as house:
        asyncio.run(worked(house))
    written = [decision.bytes_after for decision in filled.decisions()]
    assert len(written) == len(filled.originals)
    assert sorted(bandwidth.sizes) == sorted([*map(len, filled.originals.values()), *written])


def interrupt_when_heard() -> None:
    """Ends the sweep once it listens, and has had time to begin."""
    while signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        time.sleep(0.05)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def _not_to_be_ended() -> Iterator[None]:
    """A signal that comes when nobody listens is no test's end."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_not_to_be_ended")
def test_an_interrupted_sweep_waits_for_no_bandwidth(filled):
    filled.configure(**SECTIONS, service={"megabytes_per_second": 1e-6})
    threading.Thread(target=interrupt_when_heard, daemon=True).start()
    sweeping = filled.sweep()
    assert sweeping.interrupted
    assert sweeping.tally.replaced > 0


def test_a_bandwidth_makes_a_sweep_last(filled):
    size = sum(len(data) for data in filled.originals.values())
    filled.configure(**SECTIONS, service={"megabytes_per_second": size / 1e6 / 2})
    sweeping = filled.sweep()
    assert sweeping.tally.replaced == 4
    assert sweeping.seconds() > 1.9


def test_what_is_in_flight_at_the_end_waits_for_no_bandwidth(site, photograph, steadfast):
    """At one byte a second the read alone would take hours."""
    site.configure(**SECTIONS, service={"megabytes_per_second": 1e-6})
    site.add("gate/1.jpg", photograph(1))

    async def served(house: House) -> int:
        stop, counted = asyncio.Event(), Counted()
        serving = asyncio.create_task(serve(house, stop, asyncio.Event(), Notifier({}), counted))
        await asyncio.sleep(2)
        seen = counted.tally.seen
        stop.set()
        await asyncio.wait_for(serving, 60)
        assert counted.tally.replaced == 1
        return seen

    with opened(site.config, steadfast()) as house:
        assert asyncio.run(served(house)) == 0
