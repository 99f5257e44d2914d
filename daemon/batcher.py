"""Continuous batching, as a language-model server does it: whatever waits when the last batch is done is the next."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Batcher(Generic[Ask, Answer]):
    """Gathers single asks for a function that answers many at once. Belongs to one event loop.

    `serve` runs in `executor`, one batch at a time, and answers in the order of its asks; an exception among the
    answers is raised to its asker alone, one that `serve` raises to every asker of the batch.
    """

    def __init__(
        self, executor: Executor, serve: Callable[[Sequence[Ask]], Sequence[Answer | Exception]], largest: int
    ) -> None:
        self._executor = executor
        self._serve = serve
        self._largest = largest
        self._waiting: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._serving: asyncio.Task[None] | None = None

    async def ask(self, item: Ask) -> Answer:
        """The answer to one ask."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve_all())
        return await answer

    async def _serve_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            for (_, future), answer in zip(batch, await self._answers([item for item, _ in batch]), strict=True):
                if future.done():  # its asker was cancelled meanwhile
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        self._serving = None

    async def _answers(self, items: list[Ask]) -> Sequence[Answer | Exception]:
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._executor, self._serve, items)
            if len(answers) != len(items):
                raise RuntimeError(f"{len(answers)} answers to {len(items)} asks")  # noqa: TRY301 - each asker hears it
        except Exception as error:  # noqa: BLE001 - whatever it is, each asker must hear it
            return [error] * len(items)
        return answers
