from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.answers import Decision, Period, Total, Wanted
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.reader import Reader
from storage.ledger.schema import State
from storage.ledger.writer import Writer
from storage.records import By, Draft, Place, Settings, Timings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
T1K = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", True, "tf_efficientnet_lite0", "ab")
TTK = replace(T1K, keeper="ttk", min_confidence=0.3, model="resnet18")
IDENTITY = FileIdentity(1000, 1, 2, 3)
BEFORE, AFTER = sha256(b"before").digest(), sha256(b"after").digest()


def kept(path: str, reason: Reason = Reason.NOT_JPEG, **changes: Any) -> Draft:
    return replace(Draft(Place("/srv/pictures", path), T1K, reason, IDENTITY, NOON), **changes)


def replaced(path: str, **changes: Any) -> Draft:
    draft = kept(path, Reason.QUALIFIED, sha256_before=BEFORE, sha256_after=AFTER, bytes_after=100)
    return replace(draft, rung="q10", quality=10, vault_entry="entry", vault_days=7.0, **changes)


def confirm(writer: Writer, *drafts: Draft) -> list[int]:
    decisions = writer.plan(drafts)
    writer.confirm([(decision, IDENTITY) for decision in decisions])
    return decisions


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.sqlite"


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    with open_writer(url) as opened:
        yield opened


@pytest.fixture
def reader(writer: Writer, url: str) -> Iterator[Reader]:
    with open_reader(url) as opened:
        yield opened


def paths(reader: Reader, wanted: Wanted) -> list[str]:
    return [decision.place.path for decision in reader.decisions(wanted)]


def test_an_empty_ledger_answers_everything(reader: Reader):
    assert list(reader.decisions(Wanted())) == []
    assert reader.totals() == [Total(None)]
    assert reader.totals("camera") == []
    assert reader.totals("label") == []
    assert reader.last_decision_at() is None
    assert reader.pending_count() == 0
    assert reader.failures_since(NOON) == 0
    assert reader.entry_of("/srv/pictures", "gate/a.jpg") is None


def test_a_replacement_is_told_whole(writer: Writer, reader: Reader):
    draft = replaced("gate/a.jpg", settings=TTK, label="vulture", probability=0.5, device="cuda", versions="pillow 12")
    seen = {"evidence_before": '{"objects":[]}', "evidence_after": "{}"}
    told = replace(draft, note="fine", missed_by_watcher=True, timings=Timings(1, 2, 3, 4), **seen)
    (number,) = confirm(writer, told)
    (decision,) = reader.decisions(Wanted())
    assert decision == Decision(
        number=number,
        place=Place("/srv/pictures", "gate/a.jpg"),
        state=State.CONFIRMED,
        keeper="ttk",
        min_confidence=0.3,
        ladder="paper",
        model="resnet18",
        model_digest=TTK.model_digest,
        rung="q10",
        quality=10,
        reason=Reason.QUALIFIED,
        bytes_before=1000,
        bytes_after=100,
        sha256_before=BEFORE.hex(),
        sha256_after=AFTER.hex(),
        label="vulture",
        probability=0.5,
        objects="",
        evidence_before='{"objects":[]}',
        evidence_after="{}",
        regions=None,
        region_rule="",
        decided_at=NOON,
        device="cuda",
        versions="pillow 12",
        vault_entry="entry",
        release_at=NOON + 7 * DAY,
        released_at=None,
        missed_by_watcher=True,
        note="fine",
        timings=Timings(1, 2, 3, 4),
        stage=0.0,
        succeeds=None,
        generation=1,
    )


def test_a_kept_picture_is_the_same_after_as_before(writer: Writer, reader: Reader):
    writer.record([kept("gate/a.jpg", sha256_before=BEFORE), kept("gate/unread.jpg", Reason.HELD)])
    unread, read = reader.decisions(Wanted())
    assert (read.bytes_after, read.sha256_after, read.quality) == (1000, BEFORE.hex(), None)
    assert (unread.bytes_after, unread.sha256_before, unread.sha256_after) == (1000, None, None)


def test_an_abandoned_replacement_reads_as_a_kept_picture(writer: Writer, reader: Reader):
    (number,) = writer.plan([replaced("gate/a.jpg")])
    writer.abandon([(number, Reason.NO_SPACE, "28 bytes left")])
    (decision,) = reader.decisions(Wanted())
    assert (decision.state, decision.reason, decision.note) == (State.ABANDONED, Reason.NO_SPACE, "28 bytes left")
    assert (decision.rung, decision.quality, decision.bytes_after) == (None, None, 1000)
    assert (decision.sha256_after, decision.vault_entry, decision.release_at) == (BEFORE.hex(), None, None)


def test_a_released_and_a_restored_decision_tell_so(writer: Writer, reader: Reader):
    released, undone = confirm(writer, replaced("gate/a.jpg"), replaced("gate/b.jpg"))
    writer.release([released], NOON + 8 * DAY)
    restored = writer.restore(undone, IDENTITY, NOON + DAY)
    told = {decision.number: decision for decision in reader.decisions(Wanted())}
    assert (told[released].released_at, told[released].vault_entry) == (NOON + 8 * DAY, None)
    assert (told[undone].state, told[undone].sha256_after) == (State.UNDONE, AFTER.hex())
    assert (told[restored].reason, told[restored].sha256_after) == (Reason.RESTORED, BEFORE.hex())
    assert told[restored].decided_at == NOON + DAY


def test_an_original_is_released_once(writer: Writer, reader: Reader):
    decisions = confirm(writer, replaced("gate/a.jpg"))
    writer.release(decisions, NOON + 8 * DAY)
    writer.release(decisions, NOON + 9 * DAY)
    assert [decision.released_at for decision in reader.decisions(Wanted())] == [NOON + 8 * DAY]


def test_what_is_only_planned_is_no_decision_yet(writer: Writer, reader: Reader):
    writer.plan([replaced("gate/a.jpg")])
    assert list(reader.decisions(Wanted())) == []
    assert reader.totals() == [Total(None)]
    assert reader.pending_count() == 1


def test_the_newest_decision_comes_first_and_one_of_the_same_instant_by_its_number(writer: Writer, reader: Reader):
    writer.record([kept("a/2", decided_at=NOON), kept("a/1", decided_at=NOON - DAY), kept("a/3", decided_at=NOON)])
    assert paths(reader, Wanted()) == ["a/3", "a/2", "a/1"]
    assert paths(reader, Wanted(limit=2)) == ["a/3", "a/2"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(since=NOON), ["yard/c", "gate/sub/b"]),
        (Wanted(until=NOON), ["gate/a"]),
        (Wanted(since=NOON, until=NOON + DAY), ["gate/sub/b"]),
        (Wanted(camera="gate"), ["gate/sub/b", "gate/a"]),
        (Wanted(reason=Reason.HELD), ["gate/sub/b"]),
        (Wanted(path="gate/*"), ["gate/sub/b", "gate/a"]),
        (Wanted(path="*/?"), ["yard/c", "gate/sub/b", "gate/a"]),
        (Wanted(path="yard/[cd]"), ["yard/c"]),
        (Wanted(path="yard/c"), ["yard/c"]),
        (Wanted(path="yard"), []),
        (Wanted(camera="gate", reason=Reason.NOT_JPEG), ["gate/a"]),
        (Wanted(camera="nowhere"), []),
    ],
)
def test_decisions_are_found(writer: Writer, reader: Reader, wanted: Wanted, found: list[str]):
    writer.record(
        [
            kept("gate/a", decided_at=NOON - timedelta(microseconds=1)),
            kept("gate/sub/b", Reason.HELD, decided_at=NOON),
            kept("yard/c", decided_at=NOON + DAY),
        ]
    )
    assert paths(reader, wanted) == found


def test_a_path_that_is_no_utf8_is_found(writer: Writer, reader: Reader):
    writer.record([kept("gat\udcff/caf\udce9.jpg")])
    assert paths(reader, Wanted(path="gat\udcff/*.jpg")) == ["gat\udcff/caf\udce9.jpg"]
    assert paths(reader, Wanted(camera="gat\udcff")) == ["gat\udcff/caf\udce9.jpg"]


@pytest.fixture
def busy(writer: Writer, reader: Reader) -> Reader:
    """Three replacements, of which one was released, and three pictures that stayed."""
    (first, _, _) = confirm(
        writer,
        replaced("gate/a.jpg", label="dog"),
        replaced("gate/b.jpg", label="cat", settings=TTK, missed_by_watcher=True),
        replaced("yard/c.jpg", label="dog", decided_at=NOON + DAY),
    )
    writer.release([first], NOON + 9 * DAY)
    writer.record(
        [
            kept("yard/d.jpg", decided_at=NOON + DAY),
            kept("yard/e.jpg", Reason.HELD, decided_at=NOON + DAY),
            kept("yard/f.jpg", Reason.ERROR, decided_at=NOON + DAY, place=Place("/srv/others", "yard/f.jpg")),
        ]
    )
    return reader


def test_one_total_tells_all(busy: Reader):
    (total,) = busy.totals()
    assert total == Total(None, 6, 3, 2, 1, bytes_before=6000, bytes_after=3300, bytes_freed=900, missed_by_watcher=1)
    assert total.bytes_in_vault == 1800


GATE = Total("gate", 2, 2, bytes_before=2000, bytes_after=200, bytes_freed=900, missed_by_watcher=1)
YARD = Total("yard", 4, 1, 2, 1, bytes_before=4000, bytes_after=3100)
UNLABELLED = Total(None, 3, 0, 2, 1, bytes_before=3000, bytes_after=3000)
CAT = Total("cat", 1, 1, bytes_before=1000, bytes_after=100, missed_by_watcher=1)
DOG = Total("dog", 2, 2, bytes_before=2000, bytes_after=200, bytes_freed=900)


def test_totals_by_each_key(busy: Reader):
    assert busy.totals("camera") == [GATE, YARD]
    assert busy.totals("day") == [replace(GATE, key="2026-03-01"), replace(YARD, key="2026-03-02")]
    assert busy.totals("label") == [UNLABELLED, CAT, DOG]
    assert [(total.key, total.pictures) for total in busy.totals("keeper")] == [("t1k", 5), ("ttk", 1)]
    assert [(total.key, total.pictures) for total in busy.totals("model")] == [
        ("resnet18", 1),
        ("tf_efficientnet_lite0", 5),
    ]
    assert [(total.key, total.pictures) for total in busy.totals("reason")] == [
        ("error", 1),
        ("held", 1),
        ("not_jpeg", 1),
        ("qualified", 3),
    ]


@pytest.mark.parametrize("by", [None, "camera", "day", "keeper", "model", "reason", "label"])
@pytest.mark.parametrize(
    ("period", "pictures"),
    [
        (Period(since=date(2026, 3, 2)), 4),
        (Period(until=date(2026, 3, 2)), 2),
        (Period(since=date(2026, 3, 1), until=date(2026, 3, 3)), 6),
        (Period(since=date(2026, 3, 3)), 0),
    ],
)
def test_totals_of_a_period(busy: Reader, by: By | None, period: Period, pictures: int):
    assert sum(total.pictures for total in busy.totals(by, period)) == pictures


def test_a_day_ends_at_midnight_utc(writer: Writer, reader: Reader):
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    writer.record(
        [kept("gate/a", decided_at=midnight - timedelta(microseconds=1)), kept("gate/b", decided_at=midnight)]
    )
    assert [total.key for total in reader.totals("day")] == ["2026-03-01", "2026-03-02"]
    assert [total.pictures for total in reader.totals("label", Period(until=date(2026, 3, 2)))] == [1]


def test_a_restoration_takes_the_saving_back(busy: Reader, writer: Writer):
    undone = next(decision for decision in busy.decisions(Wanted(path="gate/a.jpg")))
    writer.restore(undone.number, IDENTITY, NOON + 2 * DAY)
    first, _, third = busy.totals("day")
    assert first == Total("2026-03-01", 1, 1, bytes_before=1000, bytes_after=100, missed_by_watcher=1)
    assert third == Total("2026-03-03", 1, 0, 1, bytes_before=1000, bytes_after=1000)


def test_a_key_of_which_nothing_is_left_is_not_told(writer: Writer, reader: Reader):
    (number,) = confirm(writer, replaced("gate/a.jpg"))
    writer.restore(number, IDENTITY, NOON)
    assert [total.key for total in reader.totals("reason")] == ["restored"]


def test_what_status_asks(busy: Reader):
    assert busy.last_decision_at() == NOON + DAY
    assert busy.failures_since(NOON + DAY) == 1
    assert busy.failures_since(NOON + DAY + timedelta(microseconds=1)) == 0
    assert busy.pending_count() == 0


def test_the_original_of_a_path_is_found_while_it_is_held(busy: Reader):
    held = busy.entry_of("/srv/pictures", "gate/b.jpg")
    assert held
    assert (held.entry, held.sha256_before) == ("entry", BEFORE)
    assert busy.entry_of("/srv/pictures", "gate/a.jpg") is None
    assert busy.entry_of("/srv/others", "gate/b.jpg") is None


def test_what_a_release_would_free_now(busy: Reader):
    week = timedelta(days=7)
    assert busy.due(NOON + week, ["/srv/pictures", "/srv/others"]) == (1, 1000)
    assert busy.due(NOON + week + DAY, ["/srv/pictures"]) == (2, 2000)
    assert busy.due(NOON + week + DAY, ["/srv/others"]) == (0, 0)


def test_what_framekeep_wrote_is_recognised(busy: Reader):
    assert busy.wrote(AFTER)
    assert not busy.wrote(BEFORE)
