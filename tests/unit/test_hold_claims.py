from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.holds import check_claim, covers
from storage.records import Claim, Place

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GATE = Claim("why", camera="gate")
PLACE = Place("/srv/pictures", "gate/2026/A.jpg")


@pytest.mark.parametrize(
    ("claim", "is_covered"),
    [
        (GATE, True),
        (replace(GATE, camera="Gate"), False),
        (replace(GATE, root="/srv/pictures"), True),
        (replace(GATE, root="/srv/others"), False),
        (Claim("why", pattern="gate/**"), True),
        (Claim("why", pattern="*.JPG"), True),
        (Claim("why", pattern="2026/"), True),
        (Claim("why", pattern="/a.jpg"), False),
        (replace(GATE, pattern="yard/**"), False),
        (Claim("why", camera="yard", pattern="gate/**"), False),
    ],
)
def test_a_picture_is_covered_by_where_it_is(claim: Claim, is_covered: bool):
    assert covers(claim, PLACE, []) is is_covered


@pytest.mark.parametrize(
    ("since", "until", "times", "is_covered"),
    [
        (NOON, None, [NOON], True),
        (None, NOON, [NOON], True),
        (NOON, NOON, [NOON], True),
        (NOON, None, [NOON - HOUR], False),
        (None, NOON, [NOON + HOUR], False),
        (NOON, NOON + HOUR, [NOON - HOUR, NOON + 2 * HOUR], False),
        (NOON, NOON + HOUR, [NOON - HOUR, NOON + HOUR], True),
        (NOON, None, [], False),
        (None, None, [], True),
    ],
)
def test_any_of_its_times_covers_a_picture(
    since: datetime | None, until: datetime | None, times: list[datetime], is_covered: bool
):
    assert covers(replace(GATE, since=since, until=until), PLACE, times) is is_covered


def test_a_picture_in_the_root_itself_is_of_the_camera_that_a_dot_names():
    assert covers(Claim("why", camera="."), Place("/srv/pictures", "a.jpg"), [])


def test_a_path_of_any_bytes_is_covered():
    assert covers(Claim("why", pattern="gate/**"), Place("/srv/pictures", "gate/\udcff\n*.jpg"), [])
    assert covers(Claim("why", camera="\udcff"), Place("/srv/pictures", "\udcff/a.jpg"), [])


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (Claim("why"), "needs a camera or a path pattern"),
        (Claim("why", since=NOON), "needs a camera or a path pattern"),
        (Claim("why", pattern="!gate/**"), "cannot begin with !"),
        (Claim("why", pattern=""), "should be a pattern"),
        (replace(GATE, since=NOON + HOUR, until=NOON), "nothing lies between"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(claim: Claim, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        check_claim(claim)
