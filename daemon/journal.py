"""The ledger as the pipeline uses it: asks are gathered, so that a batch of pictures costs one durable commit."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final, TypeVar

from daemon.batcher import Batcher
from framekeep.reasons import Kept, Reason
from storage.files import FileIdentity
from storage.ledger.writer import Writer
from storage.records import Draft, Known

R = TypeVar("R")
T = TypeVar("T")

_LARGEST: Final = 256
"""Decisions a commit."""


class Journal:
    """Belongs to one event loop; the writer is used from the executor's one thread alone."""

    def __init__(self, writer: Writer, executor: Executor) -> None:
        self._writer = writer
        self._executor = executor
        self._records: Batcher[Draft, int] = Batcher(executor, writer.record, _LARGEST)
        self._plans: Batcher[Draft, int] = Batcher(executor, writer.plan, _LARGEST)
        self._confirmations: Batcher[tuple[int, FileIdentity], None] = Batcher(
            executor, _silently(writer.confirm), _LARGEST
        )
        self._abandonments: Batcher[tuple[int, Reason, str], None] = Batcher(
            executor, _silently(writer.abandon), _LARGEST
        )
        self._contents: Batcher[bytes, Reason | None] = Batcher(executor, _reasons_of(writer), _LARGEST)

    async def known(self, root: str, paths: Sequence[str]) -> dict[str, Known]:
        """What the ledger last knew of each path."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._writer.known, root, paths)

    async def using(self, work: Callable[[Writer], R]) -> R:
        """Runs work where the writer may be used."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, self._writer)

    async def origin(self, sha256: bytes) -> Reason | None:
        """ALREADY_SHRUNK or RESTORED where framekeep put this content somewhere before."""
        return await self._contents.ask(sha256)

    async def record(self, draft: Draft) -> int:
        """Durable when it returns, as all below."""
        return await self._records.ask(draft)

    async def plan(self, draft: Draft) -> int:
        return await self._plans.ask(draft)

    async def confirm(self, decision: int, identity: FileIdentity) -> None:
        await self._confirmations.ask((decision, identity))

    async def abandon(self, decision: int, kept: Kept) -> None:
        await self._abandonments.ask((decision, kept.reason, kept.note))


def _silently(act: Callable[[Sequence[T]], None]) -> Callable[[Sequence[T]], Sequence[None]]:
    def acted(items: Sequence[T]) -> Sequence[None]:
        act(items)
        return [None] * len(items)

    return acted


def _reasons_of(writer: Writer) -> Callable[[Sequence[bytes]], Sequence[Reason | None]]:
    def reasons(contents: Sequence[bytes]) -> Sequence[Reason | None]:
        wrote, restored = writer.wrote(contents), writer.restored(contents)
        return [
            Reason.ALREADY_SHRUNK if content in wrote else Reason.RESTORED if content in restored else None
            for content in contents
        ]

    return reasons
