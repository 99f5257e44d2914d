"""Second generations: where the original is gone, a later stage starts from what stands, if that is allowed."""

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daemon.explaining import explain_place
from daemon.findings import Kind, Verified
from daemon.house import opened, opened_quietly
from daemon.labels import LabelCheck
from daemon.rules import limits_of
from daemon.surveying import survey
from daemon.suspects import try_suspects
from daemon.sweep import Sweeping, rehearse, targets_of
from daemon.trial import Case
from daemon.verifying import Scope, verify
from framekeep.errors import ConfigurationError
from framekeep.evidence import Detections, Evidence
from framekeep.models.base import Prepared
from framekeep.reasons import Kept, Reason
from storage.ledger.answers import Decision
from storage.ledger.breakers import Opening
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.schema import State
from storage.records import Claim, Place

NAME = "gate/1.jpg"
STAGES = [{"from_days": 30, "ladder": [50]}, {"from_days": 60, "ladder": [10]}]
DAY = 86_400


def configure(site, *stages, allowed=True, days: float = 0, keeper: str = "t1k", **sections):
    selection = {"ladder": [90], "keeper": keeper, "allow_second_generation": allowed}
    selection |= {"stage": list(stages)} if stages else {}
    site.configure(selection=selection, vault={"floor_megabytes": 0, "days": days}, **sections)


def aged(path: Path, days: float):
    os.utime(path, (time.time() - days * DAY,) * 2)


def release(site):
    assert site.run("release") == 0
    assert not site.in_vault()


@pytest.fixture
def released(site, photograph):
    """A picture of 40 days that was shrunk, and its original is gone."""
    configure(site)
    site.originals[NAME] = photograph(1)
    aged(site.add(NAME, site.originals[NAME]), 40)
    assert site.sweep().tally.replaced == 1
    release(site)
    return site


@pytest.fixture
def again(released):
    """It has become a second generation."""
    released.originals["before"] = released.path(NAME).read_bytes()
    configure(released, *STAGES)
    assert released.sweep().tally.replaced == 1
    return released


def standing(site) -> Decision:
    (decision,) = [one for one in site.decisions() if one.state is State.CONFIRMED and one.rung]
    return decision


def total(site):
    with open_reader(site.config.ledger.url) as reader:
        (total,) = reader.totals()
    return total


def test_without_the_key_a_stage_beyond_the_vault_is_refused_with_its_name(site):
    configure(site, *STAGES, allowed=False)
    with pytest.raises(ConfigurationError, match="allow_second_generation = true") as refused:
        _ = site.config
    assert str(refused.value).count("begins when the vault") == 2
    configure(site, *STAGES)
    assert site.config.has_stages


def test_what_could_never_be_judged_is_refused_at_the_start(site):
    hrs = {"from_days": 60, "keeper": "hrs"}
    regions = {"from_days": 90, "keeper": "objects", "regions": "exact"}
    site.configure(
        selection={"allow_second_generation": True, "stage": [hrs]},
        policy=[{"match": "yard/**", "stage": [regions]}],
    )
    with pytest.raises(ConfigurationError) as refused:
        _ = site.config
    assert "selection.stage: the stage from 60 days has the keeper hrs" in str(refused.value)
    assert "policy.#1: the stage from 90 days has regions" in str(refused.value)
    site.configure(selection={"allow_second_generation": True, "stage": [hrs]}, vault={"days": 61})
    assert site.config.has_stages


def test_a_second_generation_starts_from_what_stands_which_goes_to_the_vault(again):
    before, after, now = again.originals["before"], again.path(NAME).read_bytes(), standing(again)
    assert len(after) < len(before)
    assert (now.rung, now.generation, now.bytes_before, now.bytes_after) == ("q50", 2, len(before), len(after))
    first = again.decisions()[1]
    assert (first.state, first.generation) == (State.SUCCEEDED, 1)
    assert (now.succeeds, now.sha256_before) == (first.number, first.sha256_after)
    assert now.evidence_before == first.evidence_before
    assert again.in_vault() == {now.vault_entry, f"{now.vault_entry}.json"}
    assert (again.own / "vault" / now.vault_entry).read_bytes() == before
    assert not list((again.own / "staged").iterdir())
    assert again.sweep().tally.skipped == 1
    assert again.run("ledger", "verify") == again.run("verify") == 0


def test_its_times_rights_and_attributes_stay(released):
    os.setxattr(released.path(NAME), "user.note", b"case 7")
    released.path(NAME).chmod(0o640)
    before = released.path(NAME).stat()
    configure(released, *STAGES)
    assert released.sweep().tally.replaced == 1
    now = released.path(NAME).stat()
    assert (now.st_mtime_ns, now.st_mode) == (before.st_mtime_ns, 0o100640)
    assert os.getxattr(released.path(NAME), "user.note") == b"case 7"


def test_a_restoration_gives_the_variant_before_and_says_so_and_then_it_is_left_alone(again, capsys):
    assert again.run("restore", again.path(NAME)) == 0
    assert "as the variant before, since the camera's original is gone" in capsys.readouterr().out
    assert again.path(NAME).read_bytes() == again.originals["before"]
    assert not again.in_vault()
    assert again.sweep().tally.skipped == 1
    assert (total(again).bytes_before, total(again).bytes_after) == (
        len(again.originals[NAME]),
        len(again.originals["before"]),
    )
    again.path(NAME).chmod(0o600)
    again.sweep()
    assert again.path(NAME).read_bytes() == again.originals["before"]
    assert again.run("ledger", "verify") == 0


def test_what_came_out_is_released_like_an_original_and_then_nothing_can_be_restored(again, capsys):
    release(again)
    assert again.run("verify") == 0
    assert again.run("restore", again.path(NAME)) == 3
    assert "no original" in capsys.readouterr().err
    assert again.run("ledger", "verify") == 0


def test_reports_count_the_picture_once_with_the_camera_s_bytes(again):
    original, before, after = (
        len(again.originals[NAME]),
        len(again.originals["before"]),
        again.path(NAME).stat().st_size,
    )
    told = total(again)
    assert (told.pictures, told.replaced, told.bytes_before, told.bytes_after) == (1, 1, original, after)
    assert (told.bytes_freed, told.bytes_in_vault) == (original - before, before - after)
    release(again)
    assert (total(again).bytes_freed, total(again).bytes_in_vault) == (original - after, 0)


def test_a_stage_while_the_vault_holds_the_variant_before_starts_from_that_and_is_no_third_generation(again):
    aged(again.path(NAME), 70)
    assert again.sweep().tally.replaced == 1
    now = standing(again)
    assert (now.rung, now.generation) == ("q10", 2)
    assert (again.own / "vault" / now.vault_entry).read_bytes() == again.originals["before"]
    assert total(again).bytes_before == len(again.originals[NAME])
    assert again.run("restore", again.path(NAME)) == 0
    assert again.path(NAME).read_bytes() == again.originals["before"]
    assert again.run("ledger", "verify") == 0


def test_a_later_stage_makes_a_third_generation_when_that_is_released_too(again):
    first = again.decisions()[1]
    release(again)
    aged(again.path(NAME), 70)
    assert again.sweep().tally.replaced == 1
    now = standing(again)
    assert (now.rung, now.generation, now.evidence_before) == ("q10", 3, first.evidence_before)
    assert total(again).bytes_before == len(again.originals[NAME])
    assert again.sweep().tally.skipped == 1
    assert again.run("ledger", "verify") == 0


def test_a_picture_without_an_original_is_left_alone_until_it_is_allowed(released):
    before = released.path(NAME).read_bytes()
    configure(released, *STAGES, allowed=False, days=400)
    assert released.sweep().tally.reasons == {Reason.NO_ORIGINAL.word: 1}
    assert released.sweep().tally.skipped == 1
    assert released.path(NAME).read_bytes() == before
    configure(released, *STAGES, days=400)
    assert released.sweep().tally.replaced == 1
    assert standing(released).generation == 2


def test_no_longer_allowed_it_does_not_start_from_a_variant_in_the_vault_either(again):
    aged(again.path(NAME), 70)
    configure(again, *STAGES, allowed=False, days=400)
    assert again.sweep().tally.reasons == {Reason.NO_ORIGINAL.word: 1}
    assert standing(again).rung == "q50"


def test_while_the_vault_holds_the_original_it_starts_from_that(site, photograph):
    configure(site)
    site.originals[NAME] = photograph(1)
    aged(site.add(NAME, site.originals[NAME]), 40)
    site.sweep()
    configure(site, *STAGES)
    assert site.sweep().tally.replaced == 1
    assert (standing(site).generation, standing(site).bytes_before) == (1, len(site.originals[NAME]))
    assert site.run("restore", site.path(NAME)) == 0
    assert site.path(NAME).read_bytes() == site.originals[NAME]


def test_another_model_is_no_judge_of_the_recorded_evidence(released, steadfast):
    before = released.path(NAME).read_bytes()
    configure(released, *STAGES)
    other = steadfast(digest="11")
    assert released.sweep(other, accept_model=True).tally.reasons == {Reason.NO_EVIDENCE.word: 1}
    again = released.sweep(other)
    assert (again.tally.skipped, again.looks) == (1, 0)
    assert released.path(NAME).read_bytes() == before


def test_a_model_that_is_shown_pictures_differently_is_none_either(released, steadfast):
    configure(released, *STAGES)
    other = steadfast(transform="other")
    assert released.sweep(other, accept_model=True).tally.reasons == {Reason.NO_EVIDENCE.word: 1}


def test_what_stands_has_to_show_what_the_original_did(released):
    with closing(sqlite3.connect(released.ledger)) as connection, connection:
        connection.execute("UPDATE decision SET evidence_before = ?", ('{"labels":[["dog",0.9],["cat",0.1]]}',))
    configure(released, *STAGES)
    sweeping = released.sweep()
    assert (sweeping.tally.reasons, sweeping.looks) == ({Reason.NO_EVIDENCE.word: 1}, 1)
    assert standing(released).rung == "q90"


def test_where_the_ledger_keeps_no_evidence_nothing_is_tried(released):
    with closing(sqlite3.connect(released.ledger)) as connection, connection:
        connection.execute("UPDATE decision SET evidence_before = NULL")
    configure(released, *STAGES)
    sweeping = released.sweep()
    assert (sweeping.tally.reasons, sweeping.looks) == ({Reason.NO_EVIDENCE.word: 1}, 0)


def test_a_hold_is_heeded(released):
    before = released.path(NAME).read_bytes()
    configure(released, *STAGES)
    with open_writer(released.config.ledger.url) as writer:
        hold = writer.add_hold(Claim("case 7", camera="gate"))
    assert released.sweep().tally.reasons == {"held": 1}
    assert released.path(NAME).read_bytes() == before
    with open_writer(released.config.ledger.url) as writer:
        writer.remove_hold(hold.number, "over")
    assert released.sweep().tally.replaced == 1


def test_what_saves_too_little_is_not_tried_again(released):
    before = released.path(NAME).read_bytes()
    configure(released, {"from_days": 30, "ladder": [95]})
    assert released.sweep().tally.reasons == {"would_not_shrink": 1}
    again = released.sweep()
    assert (again.tally.skipped, again.looks) == (1, 0)
    assert released.path(NAME).read_bytes() == before


def test_a_verification_compares_with_the_original_s_recorded_evidence(again, steadfast):
    """And not with the variant that the vault holds, in which this model sees the same now."""
    assert checked(again, steadfast(second=0.9)) == (1, [])
    with closing(sqlite3.connect(again.ledger)) as connection, connection:
        connection.execute("UPDATE decision SET evidence_before = ?", ('{"labels":[["dog",0.9],["cat",0.1]]}',))
    assert checked(again, steadfast(second=0.9)) == (0, [Kind.LABEL_LOST])


def checked(site, model) -> tuple[int, list[Kind]]:
    verified = Verified()
    with open_reader(site.config.ledger.url) as reader:
        scope = Scope([Place(str(site.root), "")], limits_of(site.config), labels=LabelCheck(model))
        kinds = [finding.kind for finding in verify(reader, scope, verified)]
    return verified.labels_hold, kinds


def test_a_picture_that_kills_the_process_is_not_tried_again(released, steadfast):
    before = released.path(NAME).read_bytes()
    configure(released, *STAGES)
    tried: list[Case] = []
    with opened(released.config, steadfast()) as house:
        (released.own / "in-flight" / "mark").write_text(NAME)
        try_suspects(house, survives=lambda case: bool(tried.append(case)))
    assert [(case.path, case.entry) for case in tried] == [(NAME, "")]
    again = released.sweep()
    assert (again.tally.skipped, again.looks) == (1, 0)
    assert released.path(NAME).read_bytes() == before


def test_the_open_breaker_stops_it(released):
    before = released.path(NAME).read_bytes()
    configure(released, *STAGES)
    with open_writer(released.config.ledger.url) as writer:
        writer.open_breaker(Opening(str(released.root), None, "a test", datetime.now(UTC)))
    assert released.sweep().tally.reasons == {"breaker": 1}
    assert released.path(NAME).read_bytes() == before


def test_explain_takes_no_variant_for_an_original(again, steadfast):
    place = Place(str(again.root), NAME)
    told = explain_place(again.config, steadfast(), place)
    assert isinstance(told.outcome, Kept)
    assert (told.source, told.outcome.reason) == (None, Reason.ALREADY_SHRUNK)
    assert "of generation 2" in told.outcome.note


def test_a_hold_counts_its_original_once_as_released(again):
    def counted() -> tuple[int, int, int]:
        told = survey(again.config, Claim("case 7", camera="gate"))
        return told.untouched, len(told.restorable) + len(told.blocked), told.released

    assert counted() == (0, 0, 1)
    assert again.run("restore", again.path(NAME)) == 0
    assert counted() == (0, 0, 1)


def test_no_second_model_compares_it_with_what_is_no_original(again):
    with open_reader(again.config.ledger.url) as reader:
        assert reader.to_look_at_again(datetime(9999, 1, 1, tzinfo=UTC), 9) == []


def test_a_dry_run_tells_of_it_and_changes_nothing(released, steadfast):
    before = released.path(NAME).read_bytes()
    configure(released, *STAGES)
    dry = Sweeping(dry_run=True)
    with opened_quietly(released.config, steadfast()) as house:
        rehearse(house, targets_of(house.config, []), dry)
    assert dry.tally.replaced == 1
    assert released.path(NAME).read_bytes() == before
    assert len(released.decisions()) == 1


def test_custody_tells_the_generation(again, capsys):
    capsys.readouterr()
    assert again.run("custody", again.path(NAME), "--json") == 0
    events = json.loads(capsys.readouterr().out)["events"]
    assert [event["event"] for event in events] == ["replaced", "released", "succeeded", "replaced"]
    assert [event["generation"] for event in events] == [1, 1, 1, 2]
    assert again.run("custody", again.path(NAME)) == 0
    assert "generation" in capsys.readouterr().out


def test_a_lost_ledger_is_rebuilt_to_what_stands(again):
    now = standing(again)
    again.ledger.unlink()
    assert again.run("ledger", "rebuild") == 0
    rebuilt = standing(again)
    assert (rebuilt.sha256_after, rebuilt.vault_entry, rebuilt.generation) == (now.sha256_after, now.vault_entry, 2)
    assert total(again).bytes_before == len(again.originals[NAME])
    aged(again.path(NAME), 70)
    assert again.sweep().tally.replaced == 1, "judged by what the sidecar keeps of the original's evidence"
    assert again.run("restore", again.path(NAME)) == 0
    assert again.path(NAME).read_bytes() == again.originals["before"]


def test_a_picture_that_was_moved_has_no_lineage(released):
    released.path(NAME).rename(released.path("gate/2.jpg"))
    configure(released, *STAGES)
    released.sweep()
    assert released.sweep().tally.reasons.keys() <= {Reason.NO_ORIGINAL.word, Reason.ALREADY_SHRUNK.word}
    assert not released.in_vault()


class Fading:
    """A detector that is the less sure of the one object in every picture, the smoother the picture is."""

    name, device, digest, transform, class_names = "fading", "cpu", "22", "none", ("person",)

    def prepare(self, image: Image.Image) -> Prepared:
        grain = np.abs(np.diff(np.asarray(image.convert("L"), np.float32), axis=1)).mean()
        return np.full((1, 1, 1), grain, np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        """At this noise grain is 15.2 in the original, 16.5 at QF 90, 9.4 at 50 and 0.9 at 10."""
        scores = [np.interp(np.asarray(one).item(), [0.9, 9.4, 15.2, 16.5], [0.3, 0.35, 0.6, 0.45]) for one in batch]
        box = np.array([[1, 1, 9, 9]], np.float32)
        return [Evidence(None, Detections(("person",), np.array([score], np.float32), box)) for score in scores]


def test_it_is_judged_by_what_was_seen_in_the_original_and_not_in_what_it_starts_from(site, photograph):
    """The variant that stands shows the object with 0.45: found again, but nothing that by itself had to be found."""
    configure(site, keeper="objects")
    aged(site.add(NAME, photograph(1)), 40)
    assert site.sweep(Fading()).tally.replaced == 1
    release(site)
    before = site.path(NAME).read_bytes()
    configure(site, *STAGES, keeper="objects")
    sweeping = site.sweep(Fading())
    assert (sweeping.tally.reasons, sweeping.looks) == ({"would_not_shrink": 1}, 2)
    assert site.path(NAME).read_bytes() == before
    configure(site, {"from_days": 30, "ladder": [50], "slack": 0.3, "min_score": 0.5}, keeper="objects")
    assert site.sweep(Fading()).tally.reasons == {Reason.NO_EVIDENCE.word: 1}, "fainter ones were not recorded"
