"""Disk pressure: the oldest pictures go further along their stages until free space is back. None is deleted."""

import asyncio
import os
import signal
import sqlite3
import time
import tomllib
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime

import pytest

from daemon.house import House, opened
from daemon.journal import Journal
from daemon.pipeline import Pipeline
from daemon.pressure import Pressure
from daemon.replacing import Replacing
from daemon.space import with_room
from daemon.suspects import try_suspects
from daemon.sweep import stages_of
from daemon.trial import Case
from framekeep.reasons import Reason, Standing
from storage.ledger.breakers import Opening
from storage.ledger.opening import open_reader
from storage.ledger.schema import State
from storage.ledger.writer import Writer
from storage.root import Root

NAMES = [f"gate/{number}.jpg" for number in range(6)]
"""The oldest first."""
DAY = 86_400
AT_ONCE = {"when_free_below": "100 MB"}


def configure(site, **pressure):
    stages = [{"from_days": 100, "ladder": [50]}, {"from_days": 200, "ladder": [10]}]
    site.configure(
        selection={"ladder": [90], "stage": stages}, vault={"floor_megabytes": 0, "days": 400}, pressure=pressure
    )


@pytest.fixture
def shrunk(site, photograph):
    """Six pictures that are too young for any later stage."""
    configure(site)
    for number, name in enumerate(NAMES):
        site.originals[name] = photograph(number)
        os.utime(site.add(name, site.originals[name]), (time.time() - (60 - number) * DAY,) * 2)
    assert site.sweep().tally.replaced == len(NAMES)
    return site


def used(site) -> int:
    """By pictures, in the archive and in the vault."""
    return sum(file.stat().st_size for file in site.root.rglob("*") if file.is_file() and file.suffix != ".json")


def disk(site, size: int) -> Callable[[Root], tuple[int, int]]:
    """A filesystem that has so many bytes more than the 100 MB that are wanted."""
    return lambda _root: (10**8 + size - used(site), 10**9)


def relieve(
    site, model, space: Callable[[Root], tuple[int, int]], decided: Callable[[House], None] = lambda _house: None
) -> dict[str, str]:
    """One look; `decided` is called after each decision. Returns what is told of roots that lack space still."""

    async def once(house: House) -> dict[str, str]:
        journal = Journal(house.writer, house.ledger)
        with stages_of(house.config) as stages:
            acting = with_room(Replacing(stages, journal, house.roots, house.holds), house, journal)
            pipeline = Pipeline(stages, acting, house.rules, lambda _sheet, _draft: decided(house))
            pressure = Pressure(house, journal, pipeline, asyncio.Event(), space=space)
            for root in house.roots.values():
                await pressure.relieve(root)
            return pressure.low

    with opened(site.config, model) as house:
        return asyncio.run(once(house))


def rungs(site) -> list[str]:
    """Of what stands, the oldest picture first."""
    standing = {one.place.path: one.rung for one in site.decisions() if one.state is State.CONFIRMED and one.rung}
    return [standing[name] for name in NAMES]


def proved(site) -> bool:
    with open_reader(site.config.ledger.url) as reader:
        return reader.verify_chain() is None


def test_the_oldest_go_one_stage_further_until_there_is_space(shrunk, steadfast):
    configure(shrunk, **AT_ONCE)
    room = used(shrunk) - len(shrunk.originals[NAMES[0]]) - 2000
    assert relieve(shrunk, steadfast(), disk(shrunk, room)) == {}
    assert rungs(shrunk) == ["q50", "q50", "q90", "q90", "q90", "q90"]
    assert used(shrunk) <= room
    held = {one.place.path for one in shrunk.decisions() if one.vault_entry}
    assert held == set(NAMES[2:]), "what was shrunk under pressure frees its original at once"
    assert proved(shrunk)


def test_pictures_that_were_met_again_go_further_too(shrunk, steadfast):
    for name in NAMES:
        shrunk.path(name).chmod(0o600)
    assert shrunk.sweep().tally.reasons == {"already_shrunk": len(NAMES)}
    configure(shrunk, **AT_ONCE)
    room = used(shrunk) - len(shrunk.originals[NAMES[0]]) - 2000
    assert relieve(shrunk, steadfast(), disk(shrunk, room)) == {}
    assert rungs(shrunk) == ["q50", "q50", "q90", "q90", "q90", "q90"]
    assert proved(shrunk)


def test_another_picture_at_the_path_of_a_held_one_goes_no_further(shrunk, steadfast, photograph):
    """It was kept, and the vault holds the original of the one before it."""
    kept = photograph(9, quality=5)
    shrunk.path(NAMES[0]).unlink()
    os.utime(shrunk.add(NAMES[0], kept), (time.time() - 90 * DAY,) * 2)
    shrunk.sweep()
    before = shrunk.decisions(NAMES[0])
    assert before[0].reason.standing is Standing.FINAL
    configure(shrunk, **AT_ONCE)
    relieve(shrunk, steadfast(), disk(shrunk, 0))
    assert shrunk.path(NAMES[0]).read_bytes() == kept
    assert len(shrunk.decisions(NAMES[0])) == len(before)


def test_with_space_enough_nothing_happens(shrunk, steadfast):
    configure(shrunk, **AT_ONCE)
    assert relieve(shrunk, steadfast(), disk(shrunk, used(shrunk))) == {}
    assert rungs(shrunk) == ["q90"] * 6
    assert len(shrunk.in_vault()) == 12


def test_where_nothing_helps_all_is_shrunk_and_released_and_no_picture_is_deleted(shrunk, steadfast):
    configure(shrunk, **AT_ONCE)
    assert list(relieve(shrunk, steadfast(), disk(shrunk, 0))) == [str(shrunk.root)]
    assert rungs(shrunk) == ["q50"] * 6
    assert all(shrunk.path(name).exists() for name in NAMES)
    assert not shrunk.in_vault()
    assert proved(shrunk)


def test_what_is_held_stays_as_it_is(shrunk, steadfast):
    before = {name: shrunk.path(name).read_bytes() for name in NAMES}
    assert shrunk.run("hold", "add", "--camera", "gate", "--reason", "a complaint") == 0
    configure(shrunk, **AT_ONCE)
    relieve(shrunk, steadfast(), disk(shrunk, 0))
    assert {name: shrunk.path(name).read_bytes() for name in NAMES} == before
    assert len(shrunk.in_vault()) == 12


@pytest.mark.parametrize("policy", [{"match": ["gate/**"], "exclude": True}, {"match": ["gate/**"], "hours": "CLOSED"}])
def test_what_is_excluded_or_outside_working_hours_stays_and_so_does_its_original(policy, shrunk, steadfast):
    before = {name: shrunk.path(name).read_bytes() for name in NAMES}
    hour = datetime.now(UTC).hour
    closed = f"{(hour + 2) % 24:02}:00-{(hour + 3) % 24:02}:00"
    stages = [{"from_days": 100, "ladder": [50]}]
    shrunk.configure(
        selection={"ladder": [90], "stage": stages},
        vault={"floor_megabytes": 0, "days": 400},
        pressure=AT_ONCE,
        policy=[policy | ({"hours": closed} if "hours" in policy else {})],
    )
    relieve(shrunk, steadfast(), disk(shrunk, 0))
    assert {name: shrunk.path(name).read_bytes() for name in NAMES} == before
    assert len(shrunk.in_vault()) == 12


def test_an_open_breaker_keeps_the_originals(shrunk, steadfast):
    configure(shrunk, **AT_ONCE)
    with opened(shrunk.config, steadfast()) as house:
        open_breaker(house)
    relieve(shrunk, steadfast(), disk(shrunk, 0))
    assert len(shrunk.in_vault()) == 12


def open_breaker(house: House):
    opening = Opening(next(iter(house.roots)), None, "a mass mistake", datetime.now(UTC))
    house.ledger.submit(Writer.open_breaker, house.writer, opening).result()


def test_a_breaker_that_the_shrinking_opens_keeps_the_other_originals(shrunk, steadfast):
    older(shrunk, days=10)
    let_only_three_go_further(shrunk)
    relieve(shrunk, steadfast(), disk(shrunk, 0), decided=open_breaker)
    assert not _gone(shrunk)
    assert len(shrunk.in_vault()) == 12


def let_only_three_go_further(site):
    site.configure(
        selection={"ladder": [90], "stage": [{"from_days": 100, "ladder": [50]}]},
        vault={"floor_megabytes": 0, "days": 400},
        policy=[{"match": ["gate/[345].jpg"], "stage": [{"from_days": 100, "ladder": [95]}]}],
        pressure=AT_ONCE | {"vault_days": 3},
    )


def older(site, days: float):
    """All was decided so much earlier, and is due as before."""
    with closing(sqlite3.connect(site.ledger)) as ledger, ledger:
        ledger.execute("UPDATE decision SET decided_at = decided_at - ?", (int(days * DAY * 1e6),))


def overdue(site, *names: str):
    late = "UPDATE decision SET release_at = 0 WHERE file_id IN (SELECT id FROM file WHERE path = ?)"
    with closing(sqlite3.connect(site.ledger)) as ledger, ledger:
        ledger.executemany(late, [(name.encode(),) for name in names])


def test_while_pictures_can_go_further_no_original_is_released_early(shrunk, steadfast):
    older(shrunk, days=10)
    configure(shrunk, **AT_ONCE, vault_days=3)
    room = used(shrunk) - len(shrunk.originals[NAMES[0]])
    assert list(relieve(shrunk, steadfast(), disk(shrunk, room))) == [str(shrunk.root)]
    assert not _gone(shrunk), "what was shrunk makes up for it in three days"
    assert rungs(shrunk) == ["q50"] + ["q90"] * 5


def test_when_none_can_go_further_and_that_is_too_little_originals_go_that_were_held_long_enough(shrunk, steadfast):
    older(shrunk, days=10)
    let_only_three_go_further(shrunk)
    relieve(shrunk, steadfast(), disk(shrunk, 0))
    assert rungs(shrunk) == ["q50"] * 3 + ["q90"] * 3
    assert _gone(shrunk) == set(NAMES[3:]), "the others were shrunk just now"


def test_what_a_hold_keeps_in_the_vault_is_no_space_that_comes(shrunk, steadfast):
    overdue(shrunk, *NAMES[:3])
    assert shrunk.run("hold", "add", "--path", "gate/[012].jpg", "--reason", "a complaint") == 0
    configure(shrunk, **AT_ONCE)
    room = used(shrunk) - len(shrunk.originals[NAMES[3]])
    assert relieve(shrunk, steadfast(), disk(shrunk, room)) == {}
    assert rungs(shrunk) == ["q90"] * 3 + ["q50", "q90", "q90"]
    notes = {one.note for one in shrunk.decisions()}
    assert notes == {""}, "nothing was released before its time"


def test_two_roots_on_one_filesystem_make_up_for_the_lack_once(shrunk, steadfast):
    other = shrunk.folder / "other"
    (other / "yard").mkdir(parents=True)
    configure(shrunk, **AT_ONCE, vault_days=3)
    settings = tomllib.loads((shrunk.folder / "config.toml").read_text())
    settings["watch"]["roots"] = [str(shrunk.root), str(other)]
    shrunk.configure(**settings)
    for name in NAMES:
        (other / name.replace("gate", "yard")).write_bytes(shrunk.originals[name])
    assert shrunk.sweep().tally.replaced == len(NAMES)
    lack = len(shrunk.originals[NAMES[0]])
    relieve(shrunk, steadfast(), lambda _root: (10**8 - lack, 10**9))
    stages = {one.place.root: one.rung for one in shrunk.decisions() if one.rung == "q50"}
    assert list(stages) == [str(shrunk.root)]


def test_with_vault_days_only_as_much_is_shrunk_as_will_be_free_when_they_are_over(shrunk, steadfast):
    configure(shrunk, **AT_ONCE, vault_days=3)
    room = used(shrunk) - len(shrunk.originals[NAMES[0]])
    assert list(relieve(shrunk, steadfast(), disk(shrunk, room))) == [str(shrunk.root)]
    assert rungs(shrunk) == ["q50"] + ["q90"] * 5
    assert len(shrunk.in_vault()) == 12
    assert (newest := shrunk.decisions()[0]).release_at
    assert round((newest.release_at - newest.decided_at).total_seconds()) == 3 * DAY


def test_originals_without_a_later_stage_are_released_last_and_the_ledger_says_why(shrunk, steadfast):
    shrunk.configure(selection={"ladder": [90]}, vault={"floor_megabytes": 0, "days": 400}, pressure=AT_ONCE)
    room = used(shrunk) - len(shrunk.originals[NAMES[0]])
    assert relieve(shrunk, steadfast(), disk(shrunk, room)) == {}
    assert rungs(shrunk) == ["q90"] * 6
    notes = {one.place.path: one.note for one in shrunk.decisions()}
    assert notes == dict.fromkeys(NAMES, "") | dict.fromkeys(_gone(shrunk), "released under disk pressure")
    assert len(_gone(shrunk)) in (1, 2), "no more than were needed"
    assert proved(shrunk)


def _gone(site) -> set[str]:
    return {one.place.path for one in site.decisions() if one.released_at}


def test_what_would_not_be_smaller_is_not_tried_for_ever(shrunk, steadfast):
    shrunk.configure(
        selection={"ladder": [90], "stage": [{"from_days": 100, "ladder": [95]}]},
        vault={"floor_megabytes": 0, "days": 400},
        pressure=AT_ONCE | {"vault_days": 300},
    )
    model = steadfast()
    assert list(relieve(shrunk, model, disk(shrunk, 0))) == [str(shrunk.root)]
    assert rungs(shrunk) == ["q90"] * 6
    assert len(shrunk.in_vault()) == 12


def test_a_picture_that_kills_the_process_is_tried_and_convicted_at_the_stage_to_which_it_was_taken(shrunk, steadfast):
    class Deadly(steadfast):
        def prepare(self, image):  # noqa: ARG002 - the protocol's argument
            until = time.monotonic() + 60
            while len(list((shrunk.own / "in-flight").iterdir())) < len(NAMES) and time.monotonic() < until:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)

    configure(shrunk, **AT_ONCE)
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            relieve(shrunk, Deadly(), disk(shrunk, 0))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    tried: list[Case] = []

    def survives(case: Case) -> bool:
        tried.append(case)
        return not (case.path == NAMES[0] and case.entry and case.ladder == "50")

    with opened(shrunk.config, steadfast()) as house:
        try_suspects(house, survives)
    assert {case.path for case in tried} == set(NAMES)
    assert [one.reason for one in shrunk.decisions(NAMES[0])] == [Reason.QUALIFIED]
    relieve(shrunk, steadfast(), disk(shrunk, 0))
    assert rungs(shrunk) == ["q10"] + ["q50"] * 5, "it goes on with the stage after that"
    assert proved(shrunk)
