"""Whatever happens to decisions, in whatever order: daily totals are the sums over them, and the chain of
events holds.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from framekeep.reasons import Reason, Standing
from storage.files import FileIdentity
from storage.ledger.answers import Total
from storage.ledger.events import BEGINNING, Head
from storage.ledger.opening import open_reader, open_writer
from storage.records import Claim, Draft, Place, Settings

START = datetime(2026, 3, 1, 22, tzinfo=UTC)
SETTINGS = [Settings(keeper, 0.0, "paper", 0.01, "4:2:0", True, "model", "ab") for keeper in ("t1k", "ttk")]
REPLACING = [reason for reason in Reason if reason.standing is Standing.REPLACED]
KEEPING = [reason for reason in Reason if reason.standing is not Standing.REPLACED]

OF_ROWS = """
SELECT decided_at / 86400000000, camera_id, settings_id, reason_id, count(*), sum(bytes_before), sum(bytes_after),
       sum(CASE WHEN released_at IS NULL THEN 0 ELSE bytes_before - bytes_after END), sum(missed_by_watcher)
FROM decision JOIN file ON file.id = file_id WHERE state IN (1, 2) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
OF_DAYS = "SELECT * FROM daily_total WHERE pictures != 0 ORDER BY 1, 2, 3, 4"
EMPTY_DAYS = "SELECT count(*) FROM daily_total WHERE pictures = 0 AND (bytes_before OR bytes_after OR bytes_freed)"

instants = st.integers(0, 72).map(lambda hours: START + timedelta(hours=hours))
places = st.builds(Place, st.sampled_from(["/srv/a", "/srv/b"]), st.sampled_from(["x.jpg", "gate/x.jpg", "yard/x.jpg"]))
drafts = st.builds(
    Draft,
    place=places,
    settings=st.sampled_from(SETTINGS),
    reason=st.sampled_from(KEEPING),
    identity=st.builds(FileIdentity, st.integers(1, 2**40), st.just(1), st.just(2), st.integers(1, 2)),
    decided_at=instants,
    missed_by_watcher=st.booleans(),
)


def some_of(decisions: Iterable[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(sorted(decisions)), max_size=3, unique=True)


@dataclass(frozen=True)
class Model:
    """What a decision should count for."""

    reason: Reason
    before: int
    after: int
    freed: int = 0


class Ledger(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.serial = count()
        self.plans: dict[int, Model] = {}
        self.counted: dict[int, Model] = {}
        self.replaced: list[int] = []
        self.holds: list[int] = []
        self.kept: list[Head] = [BEGINNING]

    @initialize()
    def open(self):
        shutil.copy(self.template, self.folder / "ledger.sqlite")
        self.url = f"sqlite:///{self.folder}/ledger.sqlite"
        self.writer = open_writer(self.url)
        self.reader = open_reader(self.url)

    @rule(batch=st.lists(drafts, max_size=4))
    def record(self, batch: list[Draft]):
        for decision, draft in zip(self.writer.record(batch), batch, strict=True):
            size = draft.identity.size
            assert self.counted.setdefault(decision, Model(draft.reason, size, size)).reason is draft.reason

    @rule(batch=st.lists(drafts, max_size=4), reason=st.sampled_from(REPLACING), data=st.data())
    def plan(self, batch: list[Draft], reason: Reason, data: st.DataObject):
        batch = [self.replacing(draft, reason, data.draw(st.integers(0, draft.identity.size - 1))) for draft in batch]
        decisions = self.writer.plan(batch)
        for decision, draft in zip(decisions, batch, strict=True):
            self.plans[decision] = Model(reason, draft.identity.size, draft.bytes_after or 0)

    def replacing(self, draft: Draft, reason: Reason, after: int) -> Draft:
        before = sha256(str(next(self.serial)).encode()).digest()
        hashes = {"sha256_before": before, "sha256_after": sha256(before).digest()}
        return replace(draft, reason=reason, bytes_after=after, vault_entry=before.hex(), vault_days=1, **hashes)

    @precondition(lambda self: self.plans)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject):
        decisions = data.draw(some_of(self.plans))
        self.writer.confirm([(decision, FileIdentity(1, 2, 3, 4)) for decision in decisions])
        self.counted |= {decision: self.plans.pop(decision) for decision in decisions}
        self.replaced += decisions

    @precondition(lambda self: self.plans)
    @rule(data=st.data(), reason=st.sampled_from(KEEPING))
    def abandon(self, data: st.DataObject, reason: Reason):
        decisions = data.draw(some_of(self.plans))
        self.writer.abandon([(decision, reason, "") for decision in decisions])
        for decision in decisions:
            before = self.plans.pop(decision).before
            self.counted[decision] = Model(reason, before, before)

    @precondition(lambda self: self.replaced)
    @rule(data=st.data(), at=instants)
    def release(self, data: st.DataObject, at: datetime):
        decisions = data.draw(some_of(self.replaced))
        self.writer.release(decisions, at)
        for decision in decisions:
            if model := self.counted.get(decision):  # else it was restored
                self.counted[decision] = replace(model, freed=model.before - model.after)

    @precondition(lambda self: set(self.replaced) & self.counted.keys())
    @rule(data=st.data(), at=instants)
    def restore(self, data: st.DataObject, at: datetime):
        decision = data.draw(st.sampled_from(sorted(set(self.replaced) & self.counted.keys())))
        undone = self.counted.pop(decision)
        new = self.writer.restore(decision, FileIdentity(undone.before, 1, 2, 3), at)
        self.counted[new] = Model(Reason.RESTORED, undone.before, undone.before)

    @rule(camera=st.sampled_from(["gate", "\udcff"]), since=st.none() | instants)
    def hold(self, camera: str, since: datetime | None):
        self.holds.append(self.writer.add_hold(Claim("why", camera=camera, since=since)).number)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def unhold(self, data: st.DataObject):
        number = data.draw(st.sampled_from(self.holds))
        self.holds.remove(number)
        self.writer.remove_hold(number, "closed")

    @rule()
    def note_and_keep_the_head(self):
        self.writer.note("resumed", {"camera": "gate"})
        self.kept.append(self.reader.head())

    @invariant()
    def every_kept_head_proves_the_chain(self):
        assert all(self.reader.verify_chain(head) is None for head in {self.kept[0], self.kept[-1]})
        assert self.reader.head().event >= self.kept[-1].event

    @invariant()
    def totals_are_the_sums_of_rows(self):
        with closing(sqlite3.connect(self.folder / "ledger.sqlite")) as ledger:
            assert ledger.execute(OF_DAYS).fetchall() == ledger.execute(OF_ROWS).fetchall()
            assert ledger.execute(EMPTY_DAYS).fetchone() == (0,)

    @invariant()
    def totals_are_what_was_done(self):
        standings = [model.reason.standing for model in self.counted.values()]
        (total,) = self.reader.totals()
        assert replace(total, missed_by_watcher=0) == Total(
            None,
            pictures=len(standings),
            replaced=standings.count(Standing.REPLACED),
            kept=standings.count(Standing.FINAL) + standings.count(Standing.LATER),
            failed=standings.count(Standing.FAILED),
            bytes_before=sum(model.before for model in self.counted.values()),
            bytes_after=sum(model.after for model in self.counted.values()),
            bytes_freed=sum(model.freed for model in self.counted.values()),
        )

    @invariant()
    def what_is_planned_is_pending(self):
        assert {planned.decision for planned in self.writer.pending()} == set(self.plans)

    def teardown(self) -> None:
        self.reader.close()
        self.writer.close()
        shutil.rmtree(self.folder)


def test_totals_are_the_sums_of_rows_at_every_moment(tmp_path: Path):
    Ledger.template = tmp_path / "template.sqlite"
    open_writer(f"sqlite:///{Ledger.template}").close()
    case = Ledger.TestCase
    case.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
    case().runTest()
