"""The pixels in memory."""

import asyncio
from contextlib import suppress

from daemon.budget import Budget


def highest(total: int, sizes: list[int]) -> tuple[int, int]:
    """The most that was spent at once, and how many were served."""

    async def main():
        budget, spent, most, served = Budget(total), 0, 0, 0

        async def spend(size: int):
            nonlocal spent, most, served
            async with budget.spending(size):
                spent += size
                most = max(most, spent)
                await asyncio.sleep(0)
                spent -= size
                served += 1

        await asyncio.gather(*map(spend, sizes))
        return most, served

    return asyncio.run(main())


def test_never_more_than_the_total_is_spent():
    assert highest(10, [4] * 20) == (8, 20)


def test_a_picture_larger_than_everything_goes_alone():
    assert highest(10, [3, 50, 3]) == (50, 3)


def test_what_fails_gives_back_what_it_spent():
    async def main():
        budget = Budget(5)
        for _ in range(3):
            with suppress(ZeroDivisionError):
                async with budget.spending(5):
                    1 / 0  # noqa: B018 - the failure
        async with asyncio.timeout(1), budget.spending(5):
            return True

    assert asyncio.run(main())
