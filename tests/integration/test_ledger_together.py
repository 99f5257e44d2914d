"""Several connections, threads and processes at one ledger; some of them are killed."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Barrier, Event

import pytest

from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.answers import Wanted
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.writer import Writer
from storage.records import Draft, Place, Settings

SETTINGS = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", True, "model", "ab")
IDENTITY = FileIdentity(1000, 2, 3, 4)
BATCH = 8


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.sqlite"


def batch(number: int, camera: str = "gate") -> list[Draft]:
    return [replacement(f"{camera}/{number}-{place}.jpg") for place in range(BATCH)]


def replacement(path: str) -> Draft:
    before = sha256(path.encode()).digest()
    kept = Draft(Place("/srv", path), SETTINGS, Reason.QUALIFIED, IDENTITY, datetime(2026, 1, 1, tzinfo=UTC), "q10", 10)
    changed = replace(kept, bytes_after=10, sha256_before=before, sha256_after=sha256(before).digest())
    return replace(changed, vault_entry=before.hex(), label=path)


def replace_batch(writer: Writer, drafts: list[Draft]) -> None:
    writer.confirm([(decision, IDENTITY) for decision in writer.plan(drafts)])


def write_until(stopped: Event, url: str) -> int:
    number = 0
    with open_writer(url) as writer:
        while not stopped.is_set():
            replace_batch(writer, batch(number))
            number += 1
    return number * BATCH


def test_a_reader_sees_whole_batches_while_a_writer_is_at_work(url: str):
    open_writer(url).close()
    stopped = Event()
    with ThreadPoolExecutor(1) as pool, open_reader(url) as reader:
        writing = pool.submit(write_until, stopped, url)
        seen = [0]
        while seen[-1] < 20 * BATCH:
            seen.append(reader.totals()[0].pictures)
            assert len(list(reader.decisions(Wanted()))) % BATCH == 0
        stopped.set()
        written = writing.result()
        assert all(pictures % BATCH == 0 for pictures in seen)
        assert seen == sorted(seen)
        assert reader.totals()[0].pictures == written


def test_a_slow_reader_stops_no_writer(url: str):
    with open_writer(url) as writer, open_reader(url) as reader:
        replace_batch(writer, batch(0))
        listing = reader.decisions(Wanted())
        next(listing)
        replace_batch(writer, batch(1))
        assert len(list(listing)) == BATCH - 1


def test_two_writers_wait_for_each_other(url: str):
    """A restore beside a daemon: both meet the same new camera, label and settings."""

    def write(camera: str) -> None:
        with open_writer(url) as writer:
            for number in range(10):
                replace_batch(writer, batch(number, camera))
                writer.record([replace(replacement("hall/a.jpg"), reason=Reason.NOT_JPEG)])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["gate", "yard"]))
    with open_reader(url) as reader:
        totals = {total.key: total.pictures for total in reader.totals("camera")}
    assert totals == {"gate": 10 * BATCH, "hall": 20, "yard": 10 * BATCH}


def test_a_new_ledger_is_opened_by_many_at_once(tmp_path: Path):
    """SQLite does not wait where two give a new file its journal mode."""
    together = Barrier(8)

    def open_it(url: str) -> None:
        together.wait()
        open_writer(url).close()

    with ThreadPoolExecutor(8) as pool:
        for number in range(30):
            list(pool.map(open_it, [f"sqlite:///{tmp_path / str(number)}"] * 8))


KILLED = """
import sys
from test_ledger_together import batch, open_writer, IDENTITY
writer = open_writer(sys.argv[1])
for number in range(1_000_000):
    decisions = writer.plan(batch(number))
    print("planned", *decisions, flush=True)
    writer.confirm([(decision, IDENTITY) for decision in decisions[::2]])
    print("confirmed", *decisions[::2], flush=True)
"""


def kill_while_it_writes(url: str, lines: int) -> dict[str, set[int]]:
    """What the killed process had been promised to be durable."""
    told: dict[str, set[int]] = {"planned": set(), "confirmed": set()}
    command = [sys.executable, "-c", KILLED, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent) as process:
        assert process.stdout
        for _ in range(lines):
            word, *decisions = process.stdout.readline().split()
            told[word] |= set(map(int, decisions))
        process.send_signal(signal.SIGKILL)
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                word, *decisions = line.split()
                told[word] |= set(map(int, decisions))
    assert process.returncode == -signal.SIGKILL
    return told


@pytest.mark.parametrize("lines", [1, 14, 31])
def test_what_was_durable_is_there_after_a_kill(url: str, tmp_path: Path, lines: int):
    told = kill_while_it_writes(url, lines)
    with open_reader(url) as reader:  # first, since a reader must cope with what the killed one left
        confirmed = {decision.number for decision in reader.decisions(Wanted())}
        assert reader.totals()[0].pictures == len(confirmed)
    assert confirmed >= told["confirmed"]
    with open_writer(url) as writer:
        pending = {planned.decision for planned in writer.pending()}
        assert pending | confirmed >= told["planned"]
        assert not pending & confirmed
        writer.abandon([(decision, Reason.UNSETTLED, "interrupted") for decision in pending])
        assert writer.pending() == []
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert ledger.execute("PRAGMA foreign_key_check").fetchall() == []
