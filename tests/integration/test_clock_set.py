"""A clock that was wrong, forward or back, makes nothing due before its days are over."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.releasing import Released, Vaults, release_due
from storage.holds import HoldBook
from storage.ledger.clock import TOLERATED, Boot, set_by
from storage.ledger.opening import open_reader, open_writer
from storage.root import Root

DAYS = 7
DAY = timedelta(days=1)
OVER, NOT_OVER = DAYS * DAY + timedelta(minutes=1), DAYS * DAY - timedelta(minutes=1)
EARLIER = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.timedeltas(-TOLERATED, TOLERATED))
def test_what_is_only_corrected_is_not_set(by: timedelta):
    assert set_by(Boot("a", EARLIER), Boot("a", EARLIER + by)) is None


@given(st.timedeltas(TOLERATED + timedelta(microseconds=1), 9000 * DAY), st.sampled_from((1, -1)))
def test_a_boot_whose_beginning_moves_tells_that_the_clock_was_set_and_by_how_much(by: timedelta, sign: int):
    assert set_by(Boot("a", EARLIER), Boot("a", EARLIER + sign * by)) == sign * by
    assert set_by(Boot("a", EARLIER), Boot("another", EARLIER + sign * by)) is None


def test_a_boot_seems_to_begin_at_one_moment_as_long_as_nobody_sets_the_clock():
    first, second = (Boot.read(datetime.now(UTC)) for _ in range(2))
    assert first.name == second.name
    assert abs(second.began_at - first.began_at) < timedelta(minutes=1)


@pytest.fixture
def held(filled):
    """Just swept: the originals have seven days, by the clock of now."""
    filled.configure(vault={"floor_megabytes": 0, "days": DAYS})
    assert filled.sweep().tally.replaced == len(filled.originals)
    return filled


def seen(site, ahead: timedelta, later: timedelta = 0 * DAY) -> Released:
    """A release by a process whose wall clock was set so far ahead, and that has run so long since."""
    now = datetime.now(UTC) + ahead
    with (
        Root(str(site.root)) as root,
        open_writer(site.config.ledger.url, clock=lambda: now) as writer,
        open_reader(site.config.ledger.url) as reader,
    ):
        vaults = Vaults({root.path: root}, HoldBook(reader, site.config.holds.rules))
        return release_due(writer, vaults, now + later)


@pytest.mark.parametrize(
    "jumps",
    [[90 * DAY], [3 * DAY, 6 * DAY, 9 * DAY], [3650 * DAY, 0 * DAY], [-90 * DAY, 0 * DAY], [-90 * DAY, 3650 * DAY]],
)
def test_no_jump_of_the_clock_releases_anything_early(held, jumps: Sequence[timedelta], capsys):
    """Each time is seen by two processes of their own, as after restarts."""
    for ahead in jumps:
        assert seen(held, ahead).originals == seen(held, ahead, NOT_OVER).originals == 0
    assert len(held.in_vault()) == 2 * len(held.originals)
    assert capsys.readouterr().out.count("clock_set") == len(jumps), "it is told once each time"
    assert seen(held, jumps[-1], OVER).originals == len(held.originals)
    assert not held.in_vault()


def test_without_a_jump_the_days_are_as_ever(held, capsys):
    assert (
        seen(held, timedelta(minutes=59)).originals == seen(held, 0 * DAY, NOT_OVER - timedelta(hours=1)).originals == 0
    )
    assert seen(held, 0 * DAY, OVER).originals == len(held.originals)
    assert "clock_set" not in capsys.readouterr().out


def test_a_clock_that_was_put_back_while_the_machine_was_off_keeps_nothing_for_ever(held):
    seen(held, 3650 * DAY)
    with closing(sqlite3.connect(held.ledger)) as ledger, ledger:
        ledger.execute("UPDATE clock SET boot = 'the one before'")
    assert seen(held, 0 * DAY, NOT_OVER).originals == 0
    assert seen(held, 0 * DAY, OVER).originals == len(held.originals)


def test_disk_pressure_takes_no_original_for_an_older_one_after_a_jump(held):
    """By the old clock all was decided 90 days before."""
    now = datetime.now(UTC) + 90 * DAY
    with open_writer(held.config.ledger.url, clock=lambda: now) as writer:
        writer.observe_clock()
        found = [writer.held_since(now + later - 3 * DAY, [str(held.root)], 0, 10) for later in (2 * DAY, 4 * DAY)]
    assert list(map(len, found)) == [0, len(held.originals)]
