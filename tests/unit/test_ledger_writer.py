from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from framekeep.errors import LedgerError
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.schema import Base, DecisionRow, EventRow, PlanRow
from storage.ledger.writer import Writer
from storage.records import Draft, Known, Place, Planned, Settings, VaultEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", True, "tf_efficientnet_lite0", "ab")
BEFORE = FileIdentity(1000, 1, 2, 3)
AFTER = FileIdentity(100, 4, 5, 6)
PLACE = Place("/srv/pictures", "gate/a.jpg")


def kept(reason: Reason = Reason.NOT_JPEG, **changes: Any) -> Draft:
    return replace(Draft(PLACE, SETTINGS, reason, BEFORE, NOON), **changes)


def hashes_of(name: str) -> tuple[bytes, bytes]:
    return sha256(name.encode()).digest(), sha256(b"variant of " + name.encode()).digest()


def replaced(name: str = "gate/a.jpg", **changes: Any) -> Draft:
    before, after = hashes_of(name)
    draft = kept(Reason.QUALIFIED, place=Place("/srv/pictures", name), sha256_before=before, sha256_after=after)
    return replace(draft, rung="q10", quality=10, bytes_after=100, vault_entry=f"of {name}", vault_days=7.0, **changes)


def confirmed(writer: Writer, draft: Draft) -> int:
    (decision,) = writer.plan([draft])
    writer.confirm([(decision, AFTER)])
    return decision


def set_largest(writer: Writer, pages: int) -> None:
    with writer._connection.begin():
        writer._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def entry(decision: int, draft: Draft) -> VaultEntry:
    hashes = hashes_of(draft.place.path)
    return VaultEntry(decision, draft.place, f"of {draft.place.path}", *hashes, 1000, 100, NOON + timedelta(days=7))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with open_writer(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


def test_a_recorded_path_is_known(writer: Writer):
    (decision,) = writer.record([kept()])
    fact = Known(BEFORE, SETTINGS.fingerprint, Reason.NOT_JPEG, None, decision)
    assert writer.known("/srv/pictures", ["gate/a.jpg", "gate/b.jpg"]) == {"gate/a.jpg": fact}
    assert writer.known("/srv/others", ["gate/a.jpg"]) == {}


def test_a_path_of_any_bytes_with_any_inode_and_time_is_known(writer: Writer):
    strange = Place("/srv/caf\udce9", "t\udcfcr/\U0001f4f7\udcff*.jpg")
    identity = FileIdentity(2**40, -1, 0, 2**64 - 1)
    writer.record([kept(place=strange, identity=identity, note=strange.path, label="gar\udce7on")])
    assert writer.known(strange.root, [strange.path])[strange.path].identity == identity


def test_a_time_beyond_what_fits_stops_nothing_and_is_never_taken_for_unchanged(writer: Writer):
    far = FileIdentity(1, 2**64, 2, 3)
    writer.record([kept(identity=far)])
    assert writer.known(PLACE.root, [PLACE.path])[PLACE.path].identity != far


def test_more_paths_than_one_question_takes_are_known(writer: Writer):
    places = [Place("/srv/pictures", f"gate/{number}.jpg") for number in range(1201)]
    decisions = writer.record([kept(place=place) for place in places])
    known = writer.known("/srv/pictures", [place.path for place in places])
    assert {fact.decision for fact in known.values()} == set(decisions)
    assert len(known) == 1201


def test_the_numbers_of_a_batch_come_in_its_order(writer: Writer):
    drafts = [kept(place=Place("/srv/pictures", f"gate/{number}.jpg")) for number in (3, 1, 2)]
    decisions = writer.record(drafts)
    known = writer.known("/srv/pictures", [draft.place.path for draft in drafts])
    assert [known[draft.place.path].decision for draft in drafts] == decisions


@pytest.mark.parametrize("reason", [Reason.HELD, Reason.ERROR])
def test_what_is_for_later_is_not_repeated(writer: Writer, reason: Reason):
    first = writer.record([kept(reason)])
    assert writer.record([kept(reason, decided_at=NOON + timedelta(hours=1))]) == first


@pytest.mark.parametrize(
    "change",
    [
        {"reason": Reason.TOO_YOUNG},
        {"settings": replace(SETTINGS, keeper="ttk")},
        {"identity": replace(BEFORE, ctime_ns=9)},
        {"place": Place("/srv/others", "gate/a.jpg")},
    ],
)
def test_what_is_for_later_is_told_again_when_something_changed(writer: Writer, change: dict[str, Any]):
    (first,) = writer.record([kept(Reason.HELD)])
    (second,) = writer.record([replace(kept(Reason.HELD), **change)])
    assert second != first


def test_a_final_reason_is_always_a_decision_of_its_own(writer: Writer):
    assert writer.record([kept()]) != writer.record([kept()])


def test_a_batch_may_mix_repeated_and_new_ones(writer: Writer):
    other = Place("/srv/pictures", "gate/b.jpg")
    (first,) = writer.record([kept(Reason.HELD)])
    decisions = writer.record([kept(place=other), kept(Reason.HELD), kept(Reason.HELD, place=other)])
    assert decisions[1] == first
    assert len(set(decisions)) == 3


def test_a_planned_replacement_is_pending_and_its_path_not_known_yet(writer: Writer):
    (decision,) = writer.plan([replaced()])
    before, after = hashes_of(PLACE.path)
    assert writer.pending() == [Planned(decision, PLACE, BEFORE, before, after, "of gate/a.jpg")]
    assert writer.known(PLACE.root, [PLACE.path]) == {}
    assert writer.wrote([before, after]) == {after}
    assert writer.due(NOON + timedelta(days=8), 10, [PLACE.root]) == []


def test_a_plan_remembers_the_file_that_was_looked_at_whatever_is_recorded_meanwhile(writer: Writer):
    writer.plan([replaced()])
    writer.record([kept(Reason.UNSETTLED, identity=AFTER)])
    assert [planned.identity for planned in writer.pending()] == [BEFORE]


def test_a_confirmed_replacement_is_known_by_the_variant(writer: Writer):
    decision = confirmed(writer, replaced())
    assert writer.pending() == []
    fact = Known(AFTER, SETTINGS.fingerprint, Reason.QUALIFIED, hashes_of(PLACE.path)[0], decision)
    assert writer.known(PLACE.root, [PLACE.path]) == {PLACE.path: fact}


def test_an_abandoned_replacement_is_a_kept_picture(writer: Writer):
    (decision,) = writer.plan([replaced()])
    writer.abandon([(decision, Reason.NO_SPACE, "disk full")])
    fact = Known(BEFORE, SETTINGS.fingerprint, Reason.NO_SPACE, hashes_of(PLACE.path)[0], decision)
    assert writer.known(PLACE.root, [PLACE.path]) == {PLACE.path: fact}
    assert writer.pending() == []
    assert writer.wrote(hashes_of(PLACE.path)) == set()


def abandoned(writer: Writer, draft: Draft, reason: Reason = Reason.NOT_PERMITTED) -> None:
    (decision,) = writer.plan([draft])
    writer.abandon([(decision, reason, "Operation not permitted")])


def rows_of(writer: Writer, table: type[Base]) -> int:
    with writer._connection.begin():
        return writer._connection.scalar(select(func.count()).select_from(table))


def test_a_replacement_that_fails_again_and_again_does_not_fill_the_ledger(writer: Writer):
    for number in range(5):
        abandoned(writer, replaced(decided_at=NOON + timedelta(minutes=10 * number)))
    assert [rows_of(writer, table) for table in (DecisionRow, EventRow, PlanRow)] == [1, 1, 0]
    known = writer.known(PLACE.root, [PLACE.path])[PLACE.path]
    assert (known.reason, known.identity) == (Reason.NOT_PERMITTED, BEFORE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, Reason.NO_SPACE),
        ({"settings": replace(SETTINGS, keeper="ttk")}, Reason.NOT_PERMITTED),
        ({"identity": replace(BEFORE, ctime_ns=9)}, Reason.NOT_PERMITTED),
        ({"place": Place("/srv/others", PLACE.path)}, Reason.NOT_PERMITTED),
    ],
)
def test_a_replacement_that_fails_in_another_way_is_told_again(writer: Writer, change: dict[str, Any], reason: Reason):
    abandoned(writer, replaced())
    abandoned(writer, replace(replaced(), **change), reason)
    assert [rows_of(writer, table) for table in (DecisionRow, EventRow)] == [2, 2]


def test_what_is_not_planned_is_neither_confirmed_nor_abandoned(writer: Writer):
    (decision,) = writer.plan([replaced()])
    with pytest.raises(ValueError, match="not planned: \\[77\\]"):
        writer.confirm([(decision, AFTER), (77, AFTER)])
    assert len(writer.pending()) == 1
    writer.confirm([(decision, AFTER)])
    with pytest.raises(ValueError, match="not planned"):
        writer.abandon([(decision, Reason.ERROR, "")])


def test_a_replacement_is_planned_and_nothing_else_is(writer: Writer):
    with pytest.raises(ValueError, match="planned, not recorded"):
        writer.record([replaced()])
    with pytest.raises(ValueError, match="only a replacement"):
        writer.plan([kept()])
    with pytest.raises(ValueError, match="only a replacement"):
        writer.plan([replace(replaced(), vault_entry=None)])


def test_a_kept_picture_never_passes_for_one_that_was_written(writer: Writer):
    writer.record([replace(replaced(), reason=Reason.ALREADY_SHRUNK)])
    assert writer.wrote(hashes_of(PLACE.path)) == set()


def test_originals_are_due_when_their_time_has_come_the_oldest_first(writer: Writer):
    late, early = replaced("gate/late.jpg", decided_at=NOON + timedelta(hours=1)), replaced("gate/early.jpg")
    elsewhere = replace(early, place=Place("/srv/others", "gate/early.jpg"))
    decisions = {draft.place: confirmed(writer, draft) for draft in (late, early, elsewhere)}
    week = NOON + timedelta(days=7)
    assert writer.due(week - timedelta(microseconds=1), 10, [PLACE.root]) == []
    assert writer.due(week, 10, [PLACE.root]) == [entry(decisions[early.place], early)]
    later = writer.due(week + timedelta(hours=1), 10, [PLACE.root])
    assert [held.decision for held in later] == [decisions[early.place], decisions[late.place]]
    assert writer.due(week + timedelta(hours=1), 1, [PLACE.root]) == later[:1]


def test_a_released_original_is_held_no_longer(writer: Writer):
    decision = confirmed(writer, replaced())
    assert writer.due(NOON + timedelta(days=8), 10, [PLACE.root]) == [entry(decision, replaced())]
    writer.release([decision], NOON)
    assert writer.due(NOON + timedelta(days=8), 10, [PLACE.root]) == []


def test_the_newest_original_of_a_path_is_the_one_to_restore(writer: Writer, tmp_path: Path):
    confirmed(writer, replaced())
    newest = confirmed(writer, replaced())
    with open_reader(f"sqlite:///{tmp_path}/ledger.sqlite") as reader:
        assert reader.entry_of(PLACE.root, PLACE.path) == entry(newest, replaced())


def test_a_restored_original_is_recognised_by_its_content(writer: Writer):
    decision = confirmed(writer, replaced())
    new = writer.restore(decision, BEFORE, NOON + timedelta(days=1))
    before, after = hashes_of(PLACE.path)
    assert writer.restored([before, after]) == {before}
    assert writer.wrote([before, after]) == {after}
    fact = Known(BEFORE, SETTINGS.fingerprint, Reason.RESTORED, before, new)
    assert writer.known(PLACE.root, [PLACE.path]) == {PLACE.path: fact}
    assert writer.due(NOON + timedelta(days=8), 10, [PLACE.root]) == []


def test_only_what_was_replaced_is_restored_and_only_once(writer: Writer):
    decision = confirmed(writer, replaced())
    (merely_kept,) = writer.record([kept()])
    writer.restore(decision, BEFORE, NOON)
    for number in (decision, merely_kept, 77):
        with pytest.raises(ValueError, match="not a confirmed replacement"):
            writer.restore(number, BEFORE, NOON)


def test_a_restored_original_is_not_released(writer: Writer):
    decision = confirmed(writer, replaced())
    writer.restore(decision, BEFORE, NOON)
    writer.release([decision], NOON)
    with pytest.raises(ValueError, match="not a confirmed replacement"):
        writer.restore(decision, BEFORE, NOON)


def test_nothing_to_do_is_done(writer: Writer):
    assert writer.record([]) == []
    assert writer.plan([]) == []
    writer.confirm([])
    writer.abandon([])
    writer.release([], NOON)
    assert writer.known(PLACE.root, []) == {}
    assert writer.wrote([]) == set()


def test_a_failed_batch_leaves_nothing_and_the_next_one_is_whole(writer: Writer):
    set_largest(writer, pages=60)
    too_much = kept(note="x" * 1_000_000, place=Place("/srv/pictures", "yard/b.jpg"))
    with pytest.raises(LedgerError, match="disk is full"):
        writer.record([kept(label="first seen here"), too_much])
    assert writer.known(PLACE.root, [PLACE.path]) == {}
    set_largest(writer, pages=2**30)
    (decision,) = writer.record([kept(label="first seen here")])
    assert writer.known(PLACE.root, [PLACE.path])[PLACE.path].decision == decision
