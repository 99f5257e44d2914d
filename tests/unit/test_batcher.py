"""Continuous batching."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from daemon.batcher import Batcher


def served(serve, asks: Sequence[int], largest: int = 4):
    """The answers to asks that are made at once, exceptions among them."""

    async def main():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(executor, serve, largest)
            return await asyncio.gather(*(batcher.ask(ask) for ask in asks), return_exceptions=True)

    return asyncio.run(main())


def test_what_waits_is_served_together_and_never_more_than_the_largest():
    batches = []

    def serve(items):
        batches.append(list(items))
        return [item * 10 for item in items]

    assert served(serve, range(10)) == [item * 10 for item in range(10)]
    assert [len(batch) for batch in batches] == [4, 4, 2]


def test_asks_that_come_during_a_batch_are_the_next_one():
    first_runs, go_on = threading.Event(), threading.Event()
    batches = []

    def serve(items):
        batches.append(list(items))
        first_runs.set()
        assert go_on.wait(60)
        return items

    async def main():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(executor, serve, 4)
            first = asyncio.create_task(batcher.ask(0))
            await asyncio.to_thread(first_runs.wait, 60)
            others = [asyncio.create_task(batcher.ask(item)) for item in (1, 2, 3)]
            await asyncio.sleep(0)
            go_on.set()
            await asyncio.gather(first, *others)

    asyncio.run(main())
    assert batches == [[0], [1, 2, 3]]


def test_an_exception_among_the_answers_reaches_its_asker_alone():
    answers = served(lambda items: [ValueError(item) if item == 1 else item for item in items], range(3))
    assert answers[0] == 0
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 2


def test_what_the_server_raises_reaches_every_asker_of_the_batch_and_the_next_batch_goes_on():
    def serve(items):
        if 0 in items:
            raise OSError("disk")
        return items

    answers = served(serve, range(6))
    assert all(isinstance(answer, OSError) for answer in answers[:4])
    assert answers[4:] == [4, 5]


def test_an_asker_that_was_cancelled_does_not_disturb_the_others():
    async def main():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(executor, lambda items: list(items), 4)  # noqa: PLW0108 - a function of its own
            asks = [asyncio.create_task(batcher.ask(item)) for item in range(3)]
            await asyncio.sleep(0)
            asks[1].cancel()
            return await asyncio.gather(*asks, return_exceptions=True)

    answers = asyncio.run(main())
    assert (answers[0], answers[2]) == (0, 2)
    assert isinstance(answers[1], asyncio.CancelledError)


def test_too_few_answers_are_told_to_every_asker():
    assert all(isinstance(answer, RuntimeError) for answer in served(lambda _items: [], range(2)))
