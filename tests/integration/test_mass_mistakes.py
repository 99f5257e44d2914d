"""The breaker and its resumption, on real sweeps and ledgers."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from daemon.breaking import open_breaking
from daemon.house import opened
from daemon.journal import Journal
from daemon.openings import opened_in, sentence
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.breakers import Opening
from storage.ledger.opening import open_writer
from storage.records import Draft, Place

SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
NOW = datetime.now(UTC)


@pytest.fixture
def known(site, steadfast):
    """The ledger knows 200 good decisions of the camera gate, under the settings of a sweep."""
    with opened(site.config, steadfast()) as house:
        settings = house.rules.for_path("gate/first.jpg").settings
    with open_writer(site.config.ledger.url) as writer:
        taught = [draft(site, settings, number) for number in range(200)]
        numbers = writer.plan(taught)
        writer.confirm([(number, one.identity) for number, one in zip(numbers, taught, strict=True)])
    return site


def draft(site, settings, number):
    return Draft(
        place=Place(str(site.root), f"gate/known {number}.jpg"),
        settings=settings,
        reason=Reason.QUALIFIED,
        identity=FileIdentity(1000, 1, 2, number),
        decided_at=NOW - timedelta(days=1),
        rung="q10",
        quality=10,
        bytes_after=100,
        sha256_before=bytes([number]) * 32,
        sha256_after=bytes([number, 1]) * 16,
        vault_entry=f"{number:032x}",
    )


@pytest.fixture
def broken(known, photograph):
    """60 unreadable pictures have come, and then some good ones."""
    for number in range(60):
        known.add(f"gate/0 broken {number}.jpg", photograph(1)[: 2000 + number])
    known.sweep()
    for number in range(2, 5):
        known.add(f"gate/{number}.jpg", photograph(number))
    return known


def test_a_jump_stops_replacing_and_deciding_goes_on(broken, capsys, photograph):
    (opening,) = broken.openings()
    assert (opening.root, opening.camera) == (str(broken.root), "gate")
    assert opening.cause.startswith("unreadable pictures: 31% in the last 100 pictures, 0% before")
    sweeping = broken.sweep()
    assert "breaker_open " in capsys.readouterr().out
    assert sweeping.tally.reasons["breaker"] == 3
    assert (broken.root / "gate/2.jpg").read_bytes() == photograph(2)
    (stopped, *_) = broken.decisions(reason=Reason.BREAKER)
    assert stopped.note == opening.cause
    assert [one.camera for one in sweeping.openings] == ["gate"]
    assert "see what changed, then framekeep resume" in sweeping.summary()["breaker"][0]


def test_other_cameras_go_on(broken, photograph):
    broken.add("yard/1.jpg", photograph(7))
    broken.sweep()
    assert (broken.root / "yard/1.jpg").read_bytes() != photograph(7)


def test_a_second_look_is_spared_while_the_breaker_is_open(broken, steadfast):
    broken.sweep()
    before = broken.decisions(reason=Reason.BREAKER)

    class Blind(steadfast):
        def look(self, batch):
            raise AssertionError(f"somebody looks at {len(batch)} pictures")

    assert broken.sweep(Blind()).tally.reasons["breaker"] == 3
    assert broken.decisions(reason=Reason.BREAKER) == before


def test_status_tells_of_it_also_where_no_daemon_runs(broken, capsys):
    assert broken.run("status", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads((SCHEMAS / "status.json").read_text())).validate(told)
    (opening,) = broken.openings()
    assert told["ledger"]["breaker"] == [sentence(opening)]
    assert broken.run("status") == 0
    assert "BREAKER" in capsys.readouterr().out


def test_resuming_needs_a_reason_and_lets_pictures_be_replaced(broken, capsys):
    broken.sweep()
    assert broken.run("resume") == 2
    assert broken.run("resume", "--reason", " ") == 2
    assert broken.run("resume", "--camera", "yard", "--reason", "why not") == 2
    assert len(broken.openings()) == 1
    capsys.readouterr()
    assert broken.run("resume", "--camera", "gate", "--reason", "lens cleaned") == 0
    assert capsys.readouterr().out.startswith(f"resumed: {broken.root}/gate (unreadable pictures")
    assert broken.openings() == []
    assert broken.sweep().tally.reasons["qualified"] == 3


def test_what_was_usual_before_a_resumption_no_longer_counts(broken, photograph):
    assert broken.run("resume", "--reason", "that is how it is now") == 0
    for number in range(60):
        broken.add(f"gate/1 broken {number}.jpg", photograph(1)[: 3000 + number])
    broken.sweep()
    assert broken.openings() == []


def test_a_running_daemon_notices_a_resumption(broken, steadfast):
    async def noticed() -> list[bool]:
        with opened(broken.config, steadfast()) as house:
            breaking = open_breaking(house, Journal(house.writer, house.ledger))
            before = await breaking.refresh()
            assert broken.run("resume", "--reason", "lens cleaned") == 0
            after = await breaking.refresh()
            breaking.check(Place(str(broken.root), "gate/2.jpg"))
            return [before, after, await breaking.refresh()]

    assert asyncio.run(noticed()) == [False, True, False]


def test_nothing_to_resume_is_told(known, capsys):
    assert known.run("resume", "--reason", "why not") == 2
    assert "the breaker is not open" in capsys.readouterr().err


def test_too_much_of_a_root_in_a_day(site, photograph):
    for number in range(4):
        site.add(f"gate/{number}.jpg", photograph(number))
    site.sweep()
    site.configure(breaker={"max_daily_share": 0.5})
    site.add("yard/1.jpg", photograph(9))
    site.sweep()
    (opening,) = site.openings()
    assert (opening.camera, opening.cause[:31]) == (None, "more than 50% of the root's byt")
    site.add("yard/2.jpg", photograph(10))
    assert site.sweep().tally.reasons["breaker"] == 1
    assert site.run("resume", "--reason", "first sweep") == 0
    assert site.sweep().tally.reasons["qualified"] == 1


@pytest.mark.parametrize(
    ("target", "bears"), [("", True), ("gate", True), ("gate/a/1.jpg", True), ("gate2", False), ("yard/1.jpg", False)]
)
def test_an_opening_bears_on_its_camera(target, bears):
    opening = Opening("/srv", "gate", "cause", NOW)
    assert bool(opened_in([opening], [Place("/srv", target)])) is bears
    assert opened_in([opening], [Place("/other", target)]) == []
    assert opened_in([Opening("/srv", None, "cause", NOW)], [Place("/srv", target)])
