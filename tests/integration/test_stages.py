"""Stages by age: what was shrunk is decided anew, from the original that the vault holds."""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.house import House, opened, opened_quietly
from daemon.suspects import try_suspects
from daemon.sweep import Sweeping, rehearse, sweep, targets_of
from daemon.trial import Case
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.answers import Decision
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.schema import State
from storage.ledger.writer import Writer
from storage.records import Claim, Draft, Settings

NAME = "gate/1.jpg"
STAGES = [{"from_days": 30, "ladder": [50]}, {"from_days": 60, "ladder": [10]}]
DAY = 86_400


def configure(site, *stages, days: float = 400, **sections):
    selection = {"ladder": [90]} | ({"stage": list(stages)} if stages else {})
    site.configure(selection=selection, vault={"floor_megabytes": 0, "days": days}, **sections)


def aged(path: Path, days: float):
    os.utime(path, (time.time() - days * DAY,) * 2)


@pytest.fixture
def shrunk(site, photograph):
    """A picture of 40 days that was shrunk before there were stages."""
    configure(site)
    site.originals[NAME] = photograph(1)
    aged(site.add(NAME, site.originals[NAME]), 40)
    assert site.sweep().tally.replaced == 1
    return site


def standing(site) -> Decision:
    (decision,) = [one for one in site.decisions() if one.state is State.CONFIRMED and one.rung]
    return decision


def test_a_picture_goes_on_to_the_stage_of_its_age_and_starts_from_its_original(shrunk):
    before, first = shrunk.path(NAME).read_bytes(), standing(shrunk)
    configure(shrunk, *STAGES)
    sweeping = shrunk.sweep()
    after, second = shrunk.path(NAME).read_bytes(), standing(shrunk)
    assert sweeping.tally.replaced == 1
    assert len(after) < len(before)
    assert (first.rung, second.rung) == ("q90", "q50")
    assert second.sha256_before == first.sha256_before
    assert second.bytes_before == len(shrunk.originals[NAME])
    assert shrunk.in_vault() == {second.vault_entry, f"{second.vault_entry}.json"}
    assert second.release_at > datetime.now(UTC).replace(microsecond=0)
    assert not list((shrunk.own / "staged").iterdir())
    assert shrunk.sweep().tally.skipped == 1
    assert len(shrunk.decisions()) == 2
    assert shrunk.run("ledger", "verify") == shrunk.run("verify") == 0


def test_its_times_rights_and_attributes_stay(shrunk):
    os.setxattr(shrunk.path(NAME), "user.note", b"case 7")
    shrunk.path(NAME).chmod(0o640)
    before = shrunk.path(NAME).stat()
    configure(shrunk, *STAGES)
    assert shrunk.sweep().tally.replaced == 1
    now = shrunk.path(NAME).stat()
    assert (now.st_mtime_ns, now.st_mode) == (before.st_mtime_ns, 0o100640)
    assert os.getxattr(shrunk.path(NAME), "user.note") == b"case 7"


def test_stages_follow_each_other_and_a_restoration_gives_the_camera_s_bytes(shrunk):
    configure(shrunk, *STAGES)
    shrunk.sweep()
    aged(shrunk.path(NAME), 70)
    assert shrunk.sweep().tally.replaced == 1
    assert standing(shrunk).rung == "q10"
    assert [one.state for one in shrunk.decisions()] == [State.CONFIRMED, State.SUCCEEDED, State.SUCCEEDED]
    assert shrunk.run("restore", shrunk.path(NAME)) == 0
    assert shrunk.restored() == {NAME}
    assert not shrunk.in_vault()
    assert shrunk.sweep().tally.skipped == 1, "what was restored is left alone, whatever its age"
    assert shrunk.restored() == {NAME}
    assert shrunk.run("ledger", "verify") == 0


def test_a_picture_that_is_old_when_it_comes_is_decided_at_its_stage_at_once(site, photograph):
    configure(site, *STAGES)
    aged(site.add(NAME, photograph(1)), 40)
    assert site.sweep().tally.replaced == 1
    assert standing(site).rung == "q50"
    assert site.sweep().tally.skipped == 1


def test_a_stage_comes_with_time(site, photograph):
    stage = {"from_days": 4 / DAY, "ladder": [10]}
    configure(site, stage)
    site.add(NAME, photograph(1))
    site.sweep()
    assert standing(site).rung == "q90"
    time.sleep(4)
    site.sweep()
    assert standing(site).rung == "q10"


def test_the_vault_s_days_count_anew(shrunk):
    first = standing(shrunk)
    configure(shrunk, *STAGES)
    shrunk.sweep()
    second = standing(shrunk)
    assert second.release_at - second.decided_at == first.release_at - first.decided_at
    assert second.release_at > first.release_at


def test_what_would_not_be_smaller_is_not_tried_again(shrunk):
    before = shrunk.path(NAME).read_bytes()
    configure(shrunk, {"from_days": 30, "ladder": [95]})
    first = shrunk.sweep()
    assert first.tally.reasons == {"would_not_shrink": 1}
    second = shrunk.sweep()
    assert (first.looks, second.looks, second.tally.skipped) == (2, 0, 1)
    assert shrunk.path(NAME).read_bytes() == before
    assert len(shrunk.decisions()) == 1
    assert shrunk.run("ledger", "verify") == 0
    configure(shrunk, {"from_days": 30, "ladder": [40]})
    assert shrunk.sweep().tally.replaced == 1, "other settings are another try"


def test_a_hold_is_heeded_and_the_stage_comes_when_it_ends(shrunk):
    before = shrunk.path(NAME).read_bytes()
    configure(shrunk, *STAGES)
    with open_writer(shrunk.config.ledger.url) as writer:
        hold = writer.add_hold(Claim("case 7", camera="gate"))
    assert shrunk.sweep().tally.reasons == {"held": 1}
    assert shrunk.path(NAME).read_bytes() == before
    with open_writer(shrunk.config.ledger.url) as writer:
        writer.remove_hold(hold.number, "over")
    assert shrunk.sweep().tally.replaced == 1


def test_a_hold_over_the_original_is_heeded_though_the_variants_time_was_changed(shrunk, steadfast):
    configure(shrunk, *STAGES)
    before = shrunk.path(NAME).read_bytes()
    aged(shrunk.path(NAME), 31)
    now = datetime.now(UTC)
    claim = Claim("case 7", camera="gate", since=now - timedelta(days=45), until=now - timedelta(days=38))
    with open_writer(shrunk.config.ledger.url) as writer:
        writer.add_hold(claim)
    dry = Sweeping(dry_run=True)
    with opened_quietly(shrunk.config, steadfast()) as house:
        rehearse(house, targets_of(house.config, []), dry)
    assert dry.tally.reasons == shrunk.sweep().tally.reasons == {"held": 1}
    assert shrunk.path(NAME).read_bytes() == before


def test_a_picture_whose_original_was_released_is_left_alone(shrunk):
    before = shrunk.path(NAME).read_bytes()
    configure(shrunk, days=0)
    with closing(sqlite3.connect(shrunk.ledger)) as connection, connection:
        connection.execute("UPDATE decision SET release_at = 0")
    assert shrunk.run("release") == 0
    configure(shrunk, *STAGES)
    assert shrunk.sweep().tally.reasons == {Reason.NO_ORIGINAL.word: 1}
    again = shrunk.sweep()
    assert (again.tally.skipped, again.looks) == (1, 0)
    assert shrunk.path(NAME).read_bytes() == before


def planned_by_another(house: House, decision: Decision) -> int | None:
    """Another stage of the same picture, which has claimed the original."""
    draft = Draft(
        *(decision.place, Settings("t1k", 0.0, "10", 0.01, "4:2:0", True, "none", "", stage=30.0), Reason.QUALIFIED),
        FileIdentity(decision.bytes_before, 0, 0, 0),
        datetime.now(UTC),
        bytes_after=1,
        sha256_before=bytes.fromhex(decision.sha256_before or ""),
        sha256_after=bytes(32),
        vault_entry=decision.vault_entry,
        succeeds=decision.number,
    )
    return house.ledger.submit(Writer.plan_next, house.writer, draft).result()


def swept(house: House) -> tuple[Mapping[str, int], bool]:
    """What came of it, and whether anything was looked at."""
    sweeping = Sweeping(dry_run=False)
    sweep(house, targets_of(house.config, []), sweeping)
    return sweeping.tally.reasons, sweeping.looks > 0


def test_an_original_that_another_one_has_claimed_is_not_gone(shrunk, steadfast):
    configure(shrunk, *STAGES)
    with opened(shrunk.config, steadfast()) as house:
        plan = planned_by_another(house, standing(shrunk))
        assert plan
        assert swept(house) == ({Reason.UNSETTLED.word: 1}, False)
        ended = [(plan, Reason.UNSETTLED, "")]
        house.ledger.submit(Writer.abandon, house.writer, ended).result()
        assert swept(house) == ({Reason.QUALIFIED.word: 1}, True)


def test_a_variant_whose_plan_is_open_still_is_not_one_without_an_original(shrunk, steadfast, photograph):
    """The exchange happened, and the ledger was not told."""
    configure(shrunk, *STAGES)
    with opened(shrunk.config, steadfast()) as house:
        assert planned_by_another(house, standing(shrunk))
        with closing(sqlite3.connect(shrunk.ledger)) as connection, connection:
            sha256 = hashlib.sha256(photograph(2)).digest()
            connection.execute("UPDATE decision SET sha256_after = ? WHERE state = 0", (sha256,))
        aged(shrunk.add(NAME, photograph(2)), 40)
        assert swept(house) == ({Reason.UNSETTLED.word: 1}, False)


def test_an_original_that_is_on_its_way_back_is_not_gone(shrunk, steadfast):
    configure(shrunk, *STAGES)
    decision = standing(shrunk)
    with opened(shrunk.config, steadfast()) as house:
        house.ledger.submit(Writer.begin_restoration, house.writer, decision.number, datetime.now(UTC)).result()
        assert swept(house) == ({Reason.UNSETTLED.word: 1}, False)
        house.ledger.submit(Writer.forgo, house.writer, decision.number).result()
        os.link(shrunk.own / "vault" / decision.vault_entry, shrunk.own / "staged" / decision.vault_entry)
        assert swept(house) == ({Reason.UNSETTLED.word: 1}, False), "begun after the ledger was asked"
        (shrunk.own / "staged" / decision.vault_entry).unlink()
        assert swept(house) == ({Reason.QUALIFIED.word: 1}, True)


def test_an_original_that_is_damaged_in_the_vault_is_no_source(shrunk):
    before = shrunk.path(NAME).read_bytes()
    original = shrunk.own / "vault" / standing(shrunk).vault_entry
    original.write_bytes(original.read_bytes()[:-1] + b"x")
    configure(shrunk, *STAGES)
    assert shrunk.sweep().tally.reasons == {"damaged": 1}
    assert shrunk.path(NAME).read_bytes() == before


def test_another_picture_at_the_path_is_decided_for_itself(shrunk, photograph):
    other = photograph(2)
    aged(shrunk.add(NAME, other), 40)
    configure(shrunk, *STAGES)
    assert shrunk.sweep().tally.replaced == 1
    newest = shrunk.decisions()[0]
    assert (newest.bytes_before, newest.rung) == (len(other), "q50")
    assert len(shrunk.in_vault()) == 4, "the first one's original is still its own"


def test_a_change_of_rights_in_between_does_not_put_the_stage_off(shrunk):
    shrunk.path(NAME).chmod(0o600)
    assert shrunk.sweep().tally.reasons == {"already_shrunk": 1}
    configure(shrunk, *STAGES)
    assert shrunk.sweep().tally.replaced == 1
    assert standing(shrunk).rung == "q50"


def test_a_second_name_in_between_does_not_cost_the_stage(shrunk):
    configure(shrunk, *STAGES)
    link = shrunk.folder / "link"
    os.link(shrunk.path(NAME), link)
    assert shrunk.sweep().tally.reasons == {"hard_linked": 1}
    link.unlink()
    assert shrunk.sweep().tally.reasons == {"already_shrunk": 1}
    assert shrunk.decisions()[0].stage == 0, "what stands is of no later stage"
    assert shrunk.sweep().tally.reasons == {"qualified": 1}
    assert standing(shrunk).rung == "q50"
    assert shrunk.sweep().tally.skipped == 1


def test_a_dry_run_tells_of_it_and_changes_nothing(shrunk, steadfast):
    before = shrunk.path(NAME).read_bytes()
    configure(shrunk, *STAGES)
    dry = Sweeping(dry_run=True)
    with opened_quietly(shrunk.config, steadfast()) as house:
        rehearse(house, targets_of(house.config, []), dry)
    assert dry.tally.replaced == 1
    assert shrunk.path(NAME).read_bytes() == before
    assert len(shrunk.decisions()) == 1


def test_a_lost_ledger_is_rebuilt_to_what_stands(shrunk):
    configure(shrunk, *STAGES)
    shrunk.sweep()
    second = standing(shrunk)
    shrunk.ledger.unlink()
    assert shrunk.run("ledger", "rebuild") == 0
    rebuilt = standing(shrunk)
    assert (rebuilt.rung, rebuilt.sha256_after, rebuilt.vault_entry) == (
        second.rung,
        second.sha256_after,
        second.vault_entry,
    )
    assert shrunk.sweep().tally.skipped == 1
    aged(shrunk.path(NAME), 70)
    assert shrunk.sweep().tally.replaced == 1, "and the next stage still finds its original"
    assert shrunk.run("restore", shrunk.path(NAME)) == 0
    assert shrunk.restored() == {NAME}


def test_custody_tells_the_history(shrunk, capsys):
    configure(shrunk, *STAGES, {"from_days": 90, "ladder": [10]})
    shrunk.sweep()
    aged(shrunk.path(NAME), 100)
    configure(shrunk, {"from_days": 90, "ladder": [95]})
    shrunk.sweep()
    capsys.readouterr()
    assert shrunk.run("custody", shrunk.path(NAME), "--json") == 0
    events = json.loads(capsys.readouterr().out)["events"]
    assert [event["event"] for event in events] == ["replaced", "succeeded", "replaced", "stage_tried"]
    assert [event["decision"] for event in events] == [1, 1, 2, 2]
    assert [event["stage_days"] for event in events] == [0, 0, 30, 30]
    assert events[2]["succeeds"] == 1
    assert events[3]["details"] == {"stage_days": 90, "why": "would_not_shrink", "what": events[3]["details"]["what"]}


def test_the_totals_count_the_picture_once(shrunk):
    configure(shrunk, *STAGES)
    shrunk.sweep()
    with open_reader(shrunk.config.ledger.url) as reader:
        (total,) = reader.totals()
    sizes = len(shrunk.originals[NAME]), shrunk.path(NAME).stat().st_size
    assert (total.pictures, total.replaced, total.bytes_before, total.bytes_after) == (1, 1, *sizes)


def test_an_original_that_kills_the_process_is_not_tried_again(shrunk, steadfast):
    before = shrunk.path(NAME).read_bytes()
    configure(shrunk, *STAGES)
    tried: list[Case] = []
    with opened(shrunk.config, steadfast()) as house:
        (shrunk.own / "in-flight" / "mark").write_text(NAME)
        try_suspects(house, survives=lambda case: bool(tried.append(case)))
    assert [(case.path, case.entry) for case in tried] == [(NAME, standing(shrunk).vault_entry)]
    again = shrunk.sweep()
    assert (again.tally.skipped, again.looks) == (1, 0)
    assert shrunk.path(NAME).read_bytes() == before
    assert standing(shrunk).rung == "q90"


def test_a_picture_that_kills_the_process_at_two_stages_is_tried_again_at_neither(shrunk, steadfast):
    before = shrunk.path(NAME).read_bytes()
    configure(shrunk, *STAGES)
    tried: list[Case] = []
    with opened(shrunk.config, steadfast()) as house:
        for stage in (b"30.0", b"60.0"):
            (shrunk.own / "in-flight" / "mark").write_bytes(NAME.encode() + b"\0" + stage)
            try_suspects(house, survives=lambda case: bool(tried.append(case)))
    assert [(case.ladder, case.entry) for case in tried] == [
        (rung, standing(shrunk).vault_entry) for rung in ("50", "10")
    ]
    again = shrunk.sweep()
    assert (again.tally.skipped, again.looks) == (1, 0), "at 40 days"
    aged(shrunk.path(NAME), 70)
    assert shrunk.sweep().looks == 0
    assert shrunk.path(NAME).read_bytes() == before
    assert shrunk.run("ledger", "verify") == 0
