"""Holds err on the side of covering: whatever more is known of a picture never uncovers it."""

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import IFD, Base

from storage.holds import covers
from storage.records import Claim, Place
from storage.time_rules import TimeRules
from storage.times import exif_of, times_of

moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3))  # noqa: DTZ001 - Hypothesis takes them so
instants = moments.map(lambda moment: moment.replace(tzinfo=UTC))
zones = st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns")])
places = st.sampled_from(["gate/a.jpg", "yard/b.jpg", "c.jpg"]).map(lambda path: Place("/srv", path))
claims = st.builds(
    Claim,
    reason=st.just("why"),
    camera=st.sampled_from(["gate", "."]) | st.none(),
    pattern=st.sampled_from(["*.jpg", "gate/", "/c.jpg"]) | st.none(),
    since=instants | st.none(),
    until=instants | st.none(),
)


@given(claims, places, st.lists(instants), st.lists(instants))
def test_another_time_never_uncovers(claim: Claim, place: Place, times: list[datetime], more: list[datetime]):
    assert covers(claim, place, [*times, *more]) >= covers(claim, place, times)
    assert covers(claim, place, [*more, *times]) == covers(claim, place, [*times, *more])


@given(st.datetimes(), st.binary(max_size=300), zones)
def test_another_source_never_takes_a_time_away(moment: datetime, exif: bytes, zone: ZoneInfo):
    rules = TimeRules(zone, ("%Y%m%d_%H%M%S",))
    name = f"gate/{moment.year:04}{moment:%m%d_%H%M%S}.jpg"
    by_name = set(times_of(name, None, None, rules))
    by_exif = set(times_of("gate/a.jpg", None, exif, rules))
    assert set(times_of(name, 0, exif, rules)) == by_name | by_exif | {datetime(1970, 1, 1, tzinfo=UTC)}


@given(moments, zones, st.sampled_from([Base.DateTimeOriginal, Base.DateTimeDigitized, Base.DateTime]))
def test_a_picture_taken_within_a_hold_is_covered_whichever_way_it_tells(moment: datetime, zone: ZoneInfo, tag: Base):
    moment = moment.replace(microsecond=0)
    rules = TimeRules(zone, ("%Y%m%d_%H%M%S",))
    held = moment.replace(tzinfo=zone).astimezone(UTC)
    claim = Claim("why", camera="gate", since=held - timedelta(seconds=1), until=held + timedelta(seconds=1))
    for path, exif in ((f"gate/{moment:%Y%m%d_%H%M%S}.jpg", None), ("gate/a.jpg", exif_with(tag, moment))):
        assert covers(claim, Place("/srv", path), times_of(path, None, exif, rules))


def exif_with(tag: Base, moment: datetime) -> bytes | None:
    exif = Image.Exif()
    (exif if tag == Base.DateTime else exif.get_ifd(IFD.Exif))[tag] = f"{moment:%Y:%m:%d %H:%M:%S}"
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG", exif=exif)
    return exif_of(file.getvalue())


@given(st.binary(max_size=2000))
def test_rubbish_is_no_exif_and_stops_nobody(rubbish: bytes):
    for data in (rubbish, b"\xff\xd8" + rubbish, b"\xff\xd8\xff\xe1\x40\x00Exif\0\0" + rubbish):
        times_of("gate/a.jpg", 0, exif_of(data), TimeRules(UTC, ()))
    for byte_order in (b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        times_of("gate/a.jpg", 0, b"Exif\0\0" + byte_order + rubbish, TimeRules(UTC, ()))
