"""Nothing is told to the ledger before it is durable, and nothing is exchanged before it was planned: seen by strace.

Each act runs in a process of its own, on the real filesystem and the real ledger. The rules are general, so they
hold for folders and files that later versions add: a change that a power cut could undo must be fsynced before the
ledger is next written, and before the process ends.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace as changed
from pathlib import Path

import pytest

from benchmarks.torture.drawing import drawn
from benchmarks.torture.scenes import ENTRY, ORIGINAL, PICTURE
from benchmarks.torture.tracing import NEVER, STRACE, Call, traced

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")

CHANGES = ("write", "pwrite64", "fchmod", "fchown", "fsetxattr", "utimensat", "ftruncate")
LOCKS = ("lock", "holds.lock", "holds.turn")
WATCHED = ("openat", "mkdirat", "renameat2", "fsync", "fdatasync", *CHANGES)


class Trace:
    """The calls of one or more processes, one after the other, as far as they concern the root and the ledger."""

    def __init__(self, root: Path, *runs: Sequence[Call]):
        self.root = str(root)
        self.calls = [call for number, run in enumerate(runs) for call in _later(run, number)]
        self.synced = [call for call in self.calls if call.name in ("fsync", "fdatasync") and call.succeeded]
        self.ledger = [call for call in self.calls if call.name == "pwrite64" and call.paths[0].endswith("-wal")]
        self.end = runs[-1][-1].ended + (len(runs) - 1) * NEVER + 1

    def exchanges(self) -> list[Call]:
        return [call for call in self.calls if "RENAME_EXCHANGE" in call.arguments and call.succeeded]

    def unsafe(self) -> list[str]:
        """What a power cut could undo after somebody was told of it."""
        made = [(call, folder) for call in self.calls if call.succeeded for folder in _folders_changed(call)]
        written = [(call, path) for call in self.calls if call.succeeded for path in _files_changed(call)]
        return [
            f"{path} was not fsynced after {call.name}({call.arguments[:200]})"
            for call, path in made + written
            if path.startswith(self.root) and not _is_fleeting(call, path)
            if not self._is_synced(path, call.ended, self._told(call, path))
        ]

    def _told(self, change: Call, path: str) -> int:
        """When somebody relies on the change: the file is moved, the ledger is written, or the process ends."""
        moved = [call.began for call in self.calls if call.name == "renameat2" and path in _moved(call)]
        told = moved + [call.began for call in self.ledger]
        return min((line for line in told if line > change.ended), default=self.end)

    def _is_synced(self, path: str, after: int, before: int) -> bool:
        return any(after < call.began and call.ended < before and call.paths[0] == path for call in self.synced)

    def planned_before(self, exchange: Call) -> bool:
        """Whether a row that names the entry was written to the ledger's log, and that fsynced, before."""
        entry = exchange.names[1]
        rows = [call for call in self.ledger if entry in call.arguments and call.ended < exchange.began]
        return any(self._is_synced(row.paths[0], row.ended, exchange.began) for row in rows)


def _later(run: Sequence[Call], number: int) -> Iterator[Call]:
    for call in run:
        yield changed(call, began=call.began + number * NEVER, ended=call.ended + number * NEVER)


def _folders_changed(call: Call) -> list[str]:
    """Which folders have an entry that they had not before."""
    if call.name == "mkdirat" or (call.name == "openat" and "O_CREAT" in call.arguments):
        return call.paths[:1]
    if call.name == "renameat2":
        return call.paths if "RENAME_EXCHANGE" in call.arguments else call.paths[1:]
    return []


def _files_changed(call: Call) -> list[str]:
    if call.name == "openat" and "O_CREAT" in call.arguments:
        return [f"{call.paths[0]}/{call.names[0]}"]
    return call.paths[:1] if call.name in CHANGES else []


def _is_fleeting(call: Call, path: str) -> bool:
    """Locks hold nothing, and the marks of pictures in flight tell of a process that died, not of a power cut."""
    return "/in-flight" in path or (call.name == "openat" and call.names[0] in LOCKS)


def _moved(call: Call) -> list[str]:
    return [f"{folder}/{name}" for folder, name in zip(call.paths, call.names, strict=True)]


@pytest.fixture
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes folders with a picture whose owner, mode, times and attributes have to be copied."""

    def made() -> Path:
        folder = tmp_path_factory.mktemp("site")
        path = folder / "incoming" / PICTURE
        path.parent.mkdir(parents=True)
        path.write_bytes(ORIGINAL)
        path.chmod(0o640)
        os.setxattr(path, "user.note", b"kept")
        os.utime(path, (1_600_000_000, 1_600_000_000))
        return folder

    return made


@pytest.fixture
def folder(new_folder: Callable[[], Path]) -> Path:
    return new_folder()


def run(act: str, folder: Path, *injections: str) -> list[Call]:
    return traced([sys.executable, "-m", "benchmarks.torture.scenes", act, folder], WATCHED, *injections)


def trace_of(folder: Path, *runs: Sequence[Call]) -> Trace:
    return Trace(folder / "incoming", *runs)


def test_a_sweep_plans_before_it_exchanges_and_confirms_what_is_durable(folder: Path):
    (folder / "incoming" / PICTURE).write_bytes(drawn(1))
    trace = trace_of(folder, run("swept", folder))
    *_, swap = trace.exchanges()
    assert trace.planned_before(swap)
    assert any(call.began > swap.ended for call in trace.ledger)
    assert trace.unsafe() == []


@pytest.mark.parametrize(
    ("act", "exchanges"),
    [("given_back", 2), ("given_back_to_nothing", 1), ("given_back_under_a_newer_one", 3), ("probed", 1)],
)
def test_what_is_given_back_is_durable(folder: Path, act: str, exchanges: int):
    trace = trace_of(folder, run(act, folder))
    assert len(trace.exchanges()) == exchanges
    assert trace.unsafe() == []


@pytest.mark.parametrize(("act", "exchanges"), [("restored", 2), ("restored_to_nothing", 1)])
def test_what_is_restored_is_durable(folder: Path, act: str, exchanges: int):
    trace = trace_of(folder, run(act, folder))
    assert len(trace.exchanges()) == exchanges
    assert (folder / "incoming" / PICTURE).read_bytes() == ORIGINAL
    assert trace.unsafe() == []


def test_a_start_makes_durable_what_a_killed_process_did(new_folder: Callable[[], Path]):
    """Killed in each call that follows the exchange: the kernel still knows what was done, but the disk may not."""
    whole = [call for call in run("replaced", new_folder()) if call.name in ("renameat2", "fsync")]
    exchange = next(index for index, call in enumerate(whole) if "RENAME_EXCHANGE" in call.arguments)
    assert len(whole) > exchange + 1
    for index in range(exchange + 1, len(whole)):
        name = whole[index].name
        number = sum(call.name == name for call in whole[: index + 1])
        folder = new_folder()
        killed = run("replaced", folder, f"{name}:signal=KILL:when={number}")
        assert killed[-1].name == name
        trace = trace_of(folder, killed, run("recovered", folder))
        assert (folder / "incoming" / ".framekeep" / "vault" / ENTRY).read_bytes() == ORIGINAL
        assert trace.unsafe() == [], f"killed in {name} number {number}"
