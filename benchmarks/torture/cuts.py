"""Which states a power cut may leave, as ALICE (Pillai et al., OSDI 2014) asks it.

What is assumed of a disk and its filesystem, and it is little:
- what was done to a file's bytes or attributes before an fsync of it is there; later changes are there or not, each
  for itself and in any order, and a write may be torn in its middle;
- a change of names (a creation, a rename, an exchange, a deletion) happens wholly or not at all, and changes that share
  a folder are there in their order; it is there for sure only after an fsync of every folder that it is about, or when
  a later one is that has to come after it. An fsync of a file says nothing about its name.
"""

import random
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.torture.disk import Disk, Naming, Operation, Syncing, Writing

_AT_RANDOM: Final = 6
"""Sets of changes that are drawn for each cut, besides those that follow a pattern."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Which of the operations before the cut did not reach the disk, and which write did so only in part."""

    after: int
    """Operations that were done before the cut."""
    lost: frozenset[int]
    torn: int | None = None


def losses(done: Sequence[Operation], chance: random.Random) -> Iterator[Loss]:
    """What a cut after these operations may lose; a choice where that may be much."""
    pending = [number for number, durable in enumerate(_durable(done)) if not durable]
    for lost in _choices(done, pending, chance):
        yield Loss(len(done), frozenset(_with_followers(done, lost, pending)))
    for number in pending:
        if isinstance(done[number], Writing):
            yield Loss(len(done), frozenset(), torn=number)


def left(disk: Disk, done: Sequence[Operation], loss: Loss) -> Disk:
    """What is there after the cut, where `disk` was there before all operations."""
    disk = disk.copy()
    for number, operation in enumerate(done[: loss.after]):
        if number == loss.torn and isinstance(operation, Writing):
            disk.apply(Writing(operation.inode, operation.offset, operation.data[: len(operation.data) // 2]))
        elif number not in loss.lost:
            disk.apply(operation)
    return disk


def likeness(disk: Disk, done: Sequence[Operation], loss: Loss) -> Hashable:
    """Equal only for losses that leave the same: the same names, and in each file with a name the same changes."""
    names, changes = dict(disk.names), dict[int, list[int]]()
    for number, operation in enumerate(done[: loss.after]):
        if number in loss.lost or isinstance(operation, Syncing):
            continue
        if isinstance(operation, Naming):
            operation.bind(names)
        else:
            changes.setdefault(operation.inode, []).append(-number if number == loss.torn else number)
    named = set(names.values())
    return frozenset(names.items()), frozenset((inode, *made) for inode, made in changes.items() if inode in named)


def _choices(done: Sequence[Operation], pending: Sequence[int], chance: random.Random) -> Iterator[set[int]]:
    names = {number for number in pending if isinstance(done[number], Naming)}
    yield set()
    yield set(pending)
    yield names
    yield set(pending) - names
    for number in pending:
        yield {number}
        yield set(pending) - {number}
    for _ in range(_AT_RANDOM):
        yield {number for number in pending if chance.random() < 0.5}


def _durable(done: Sequence[Operation]) -> list[bool]:
    """Of each operation, whether it is on the disk for sure."""
    durable = [False] * len(done)
    synced: set[int] = set()
    settled: set[int] = set()
    for number in reversed(range(len(done))):
        operation = done[number]
        if isinstance(operation, Syncing):
            synced.add(operation.inode)
            durable[number] = True
        elif isinstance(operation, Naming):
            durable[number] = operation.folders <= synced or bool(operation.folders & settled)
            settled |= operation.folders if durable[number] else set()
        else:
            durable[number] = operation.inode in synced
    return durable


def _with_followers(done: Sequence[Operation], lost: set[int], pending: Sequence[int]) -> set[int]:
    """What is lost with it: changes of names that can only come after one that is lost."""
    gone, folders = set(lost), set[int]()
    for number in pending:
        operation = done[number]
        if isinstance(operation, Naming) and (number in lost or operation.folders & folders):
            gone.add(number)
            folders |= operation.folders
    return gone
