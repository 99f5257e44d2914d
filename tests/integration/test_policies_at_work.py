"""Hours and exclusion, from a sweep's and a daemon's side: what is not worked on leaves no trace, and comes back."""

import asyncio
import json
import os
import struct
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.sweep import left_alone
from daemon.candidates import Candidate
from daemon.house import House, opened, opened_quietly
from daemon.journal import Journal
from daemon.notify import Notifier
from daemon.reporting import Counted
from daemon.scanning import Scan
from daemon.serving import serve
from daemon.sweep import Sweeping, rehearse, targets_of
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.opening import open_writer
from storage.records import Claim

SECTIONS = {"vault": {"floor_megabytes": 0}}
_opened: list[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.append(Path(os.fsdecode(arguments[0])).name if isinstance(arguments[0], str | bytes) else "")


@pytest.fixture
def files_opened() -> Iterator[list[str]]:
    """The names that Python opens meanwhile; a hook cannot be taken away, so it listens only here."""
    global _opened  # noqa: PLW0603 - what a hook that stays for good can be switched by
    sys.addaudithook(_hear)
    _opened = []
    yield _opened
    _opened = None


def hours_around(now: datetime, *, begin: timedelta, end: timedelta) -> str:
    return f"{now + begin:%H:%M}-{now + end:%H:%M}"


def closed() -> str:
    """Hours that begin only in a while."""
    return hours_around(datetime.now(UTC), begin=timedelta(hours=2), end=timedelta(hours=3))


def open_now() -> str:
    return hours_around(datetime.now(UTC), begin=timedelta(hours=-2), end=timedelta(hours=2))


def test_what_is_excluded_is_neither_opened_nor_decided(filled, files_opened: list[str]):
    filled.configure(**SECTIONS, policy=[{"match": "gate/**", "exclude": True}])
    tally = filled.sweep().tally
    assert (tally.seen, tally.replaced, tally.skipped) == (4, 2, 2)
    assert tally.reasons["excluded"] == 2
    assert "3.jpg" in files_opened
    assert not {"1.jpg", "2.jpg"} & set(files_opened)
    assert {decision.place.camera for decision in filled.decisions()} == {"gate2", "yard"}
    assert {"gate/1.jpg", "gate/2.jpg"} <= filled.restored()


def test_what_was_shrunk_before_it_was_excluded_is_released_when_due_and_held_by_holds(filled):
    filled.configure(vault={"floor_megabytes": 0, "days": 0})
    filled.sweep()
    filled.configure(**SECTIONS, policy=[{"match": "gate/**", "exclude": True}])
    tally = filled.sweep().tally
    assert (tally.skipped, tally.reasons["excluded"]) == (4, 0)
    with open_writer(filled.config.ledger.url) as writer:
        writer.add_hold(Claim("court", pattern="gate/1.jpg"))
    held = next(decision.vault_entry for decision in filled.decisions("gate/1.jpg"))
    assert filled.run("release") == 0
    assert {name for name in filled.in_vault() if not name.endswith(".json")} == {held}


def test_outside_its_hours_a_camera_waits_without_a_decision(filled, files_opened: list[str]):
    filled.configure(**SECTIONS, policy=[{"match": "gate/**", "hours": closed()}])
    for _ in range(2):
        tally = filled.sweep().tally
        assert tally.reasons["outside_hours"] == 2
    assert not {"1.jpg", "2.jpg"} & set(files_opened)
    assert filled.decisions("gate/*") == []
    filled.configure(**SECTIONS, policy=[{"match": "gate/**", "hours": open_now()}])
    assert filled.sweep().tally.replaced == 2


def test_hours_of_the_selection_hold_where_no_policy_has_its_own(filled):
    filled.configure(**SECTIONS, selection={"hours": closed()}, policy=[{"match": "gate/**", "hours": "00:00-24:00"}])
    tally = filled.sweep().tally
    assert (tally.replaced, tally.reasons["outside_hours"]) == (2, 2)


def test_hours_and_exclusion_are_no_cause_to_look_again(filled):
    """The settings of a decision are the same: a picture that was kept for good stays known."""
    filled.configure(**SECTIONS, selection={"min_saving": 0.99})
    assert filled.sweep().tally.kept == 4
    filled.configure(
        **SECTIONS,
        selection={"min_saving": 0.99, "hours": open_now()},
        policy=[{"match": "yard/**", "hours": "00:00-24:00"}],
        service={"megabytes_per_second": 50},
    )
    assert filled.sweep().tally.skipped == 4
    assert len(filled.decisions()) == 4


def test_a_least_saving_of_its_own_decides_for_a_camera(filled):
    filled.configure(**SECTIONS, policy=[{"match": "gate/**", "min_saving": 0.99}])
    tally = filled.sweep().tally
    assert (tally.replaced, tally.reasons["would_not_shrink"]) == (2, 2)


def test_a_dry_run_heeds_them_too(filled, steadfast):
    filled.configure(
        **SECTIONS, policy=[{"match": "gate/**", "hours": closed()}, {"match": "yard/**", "exclude": True}]
    )
    sweeping = Sweeping(dry_run=True)
    with opened_quietly(filled.config, steadfast()) as quiet:
        rehearse(quiet, targets_of(filled.config, []), sweeping)
    assert (sweeping.tally.replaced, sweeping.tally.skipped) == (1, 3)


def test_a_sweep_says_how_many_it_left_alone(filled):
    filled.configure(
        **SECTIONS, policy=[{"match": "gate/**", "hours": closed()}, {"match": "yard/**", "exclude": True}]
    )
    sweeping = filled.sweep()
    reasons = {word: count for word, count in sweeping.summary()["reasons"].items() if word != "qualified"}
    assert reasons == {"outside_hours": 2, "excluded": 1}
    waiting, excluded = left_alone(sweeping)
    assert waiting.startswith("2 pictures wait for their working hours")
    assert excluded.startswith("1 pictures were not read")


def test_explain_does_not_read_what_is_excluded(site, photograph, capsys: pytest.CaptureFixture[str], files_opened):
    path = site.add("gate/1.jpg", photograph(1))
    site.configure(policy=[{"match": "gate/**", "exclude": True}])
    files_opened.clear()
    assert site.run("explain", path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["source"], told["choice"], told["reason"]) == (None, None, "excluded")
    assert "1.jpg" not in files_opened


def candidate(house: House, name: str) -> Candidate:
    (tree,) = house.roots.values()
    return Candidate(tree, name, FileIdentity.of(Path(tree.path, name).stat()))


def test_what_settles_after_the_hours_have_ended_is_dropped_and_found_when_they_begin(filled, steadfast):
    filled.configure(
        **SECTIONS, policy=[{"match": "gate/**", "hours": "22:00-06:00"}, {"match": "x/**", "hours": closed()}]
    )
    clock = datetime(2026, 2, 1, 5, 59, tzinfo=UTC)
    names = ["gate/1.jpg", "gate2/3.jpg"]
    with opened(filled.config, steadfast()) as house:
        journal = Journal(house.writer, house.ledger)
        scan = Scan(house.names, house.rules, journal.known, lambda _size: None, clock=lambda: clock)

        async def wanted() -> tuple[set[str], dict[str, bool]]:
            left = await scan.not_done([candidate(house, name) for name in names])
            (root,) = house.roots.values()
            found = {one.path: one.missed async for one in scan.below(root)}
            return {one.path for one in left}, {name: found[name] for name in names if name in found}

        assert asyncio.run(wanted()) == ({"gate/1.jpg", "gate2/3.jpg"}, {"gate/1.jpg": False, "gate2/3.jpg": True})
        clock += timedelta(minutes=1)
        assert asyncio.run(wanted()) == ({"gate2/3.jpg"}, {"gate2/3.jpg": True})
        clock = clock.replace(hour=22)
        assert asyncio.run(wanted())[0] == set(names)


def zone_file(seconds_east: int) -> bytes:
    """A time zone of one offset, as in tzfile(5)."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    return b"TZif" + bytes(16) + counts + struct.pack(">lBB", seconds_east, 0, 0) + b"OWN\0"


@pytest.fixture
def zone_in_which_it_is(tmp_path: Path) -> Iterator[Callable[[datetime], str]]:
    """Makes a time zone whose clocks show this now: zones may differ by seconds."""
    before = zoneinfo.TZPATH
    folder = tmp_path / "zones"
    folder.mkdir()

    def made(shown: datetime) -> str:
        name = f"Own{time.monotonic_ns()}"
        (folder / name).write_bytes(zone_file(round((shown - datetime.now(UTC)).total_seconds())))
        return name

    zoneinfo.reset_tzpath([str(folder), *before])
    yield made
    zoneinfo.reset_tzpath(before)


def test_a_daemon_works_on_what_came_before_as_soon_as_the_hours_begin(
    site, photograph, steadfast, zone_in_which_it_is
):
    today = datetime.now(UTC).replace(hour=12, minute=59, second=52, microsecond=0)
    zone = zone_in_which_it_is(today)
    site.configure(**SECTIONS, selection={"hours": "13:00-14:00"}, holds={"timezone": zone})
    original = photograph(1)

    async def served(house: House) -> tuple[bytes, int]:
        stop = asyncio.Event()
        counted = Counted()
        serving = asyncio.create_task(serve(house, stop, asyncio.Event(), Notifier({}), counted))
        await asyncio.sleep(1)
        path = site.add("gate/1.jpg", original)
        await asyncio.sleep(3)
        meanwhile, seen = path.read_bytes(), counted.tally.seen
        async with asyncio.timeout(60):
            while not counted.tally.replaced:  # noqa: ASYNC110 - the tally is no event
                await asyncio.sleep(0.1)
        stop.set()
        await serving
        assert counted.tally.missed == 0
        return meanwhile, seen

    with opened(site.config, steadfast()) as house:
        assert asyncio.run(served(house)) == (original, 0)
    (decision,) = site.decisions()
    assert decision.reason is Reason.QUALIFIED
