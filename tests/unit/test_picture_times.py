import io
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from storage.time_rules import TimeRules, check_name_pattern
from storage.times import HEAD, exif_of, times_of

PATTERNS = ("%Y%m%d_%H%M%S", "%Y-%m-%d_%H-%M-%S", "%Y/%m/%d/%H.%M.%S")
IN_UTC = TimeRules(UTC, PATTERNS)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def picture(in_ifd0: dict[int, object] | None = None, in_exif: dict[int, object] | None = None) -> bytes:
    exif = Image.Exif()
    exif.update(in_ifd0 or {})
    exif.get_ifd(IFD.Exif).update(in_exif or {})
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG", exif=exif, comment=b"before EXIF, or behind")
    return file.getvalue()


def told(path: str = "gate/a.jpg", data: bytes = b"", rules: TimeRules = IN_UTC) -> set[datetime]:
    return set(times_of(path, None, exif_of(data), rules))


def test_a_files_time_is_always_one():
    assert times_of("gate/a.jpg", 1_772_366_400_000_000_001, None, IN_UTC) == [NOON]


def test_a_files_time_beyond_the_calendar_is_none():
    assert times_of("gate/a.jpg", 2**70, None, IN_UTC) + times_of("gate/a.jpg", -(2**70), None, IN_UTC) == []


@pytest.mark.parametrize("tag", [Base.DateTimeOriginal, Base.DateTimeDigitized])
def test_exif_tells_the_time_in_the_configured_zone(tag: Base):
    data = picture(in_exif={tag: "2026:03:01 12:00:00"})
    assert told(data=data) == {NOON}
    assert told(data=data, rules=TimeRules(ZoneInfo("Asia/Tokyo"), ())) == {NOON - timedelta(hours=9)}


def test_exif_tells_several_times():
    data = picture({Base.DateTime: "2026:03:01 12:00:00"}, {Base.DateTimeOriginal: "2025:03:01 12:00:00"})
    assert told(data=data) == {NOON, NOON.replace(year=2025)}


@pytest.mark.parametrize(
    ("offset", "zone"),
    [("+02:00", timezone(timedelta(hours=2))), ("-0330", timezone(-timedelta(hours=3, minutes=30))), ("Z", UTC)],
)
def test_exif_may_tell_its_own_zone(offset: str, zone: timezone):
    data = picture(in_exif={Base.DateTimeOriginal: "2026:03:01 12:00:00", Base.OffsetTimeOriginal: offset})
    expected = datetime(2026, 3, 1, 12, tzinfo=zone)
    assert told(data=data, rules=TimeRules(ZoneInfo("Asia/Tokyo"), ())) == {expected}


@pytest.mark.parametrize(
    "rubbish", ["", "    :  :     :  :  ", "2026:13:01 12:00:00", "0000:00:00 00:00:00", "\0" * 20, 7]
)
def test_what_is_no_time_in_exif_is_passed_over(rubbish: object):
    data = picture({Base.DateTime: "2026:03:01 12:00:00"}, {Base.DateTimeOriginal: rubbish})
    assert told(data=data) == {NOON}


@pytest.mark.parametrize("offset", ["+99:00", "CET", ""])
def test_a_zone_that_is_none_is_the_configured_one(offset: str):
    data = picture(in_exif={Base.DateTimeOriginal: "2026:03:01 12:00:00", Base.OffsetTimeOriginal: offset})
    assert told(data=data) == {NOON}


def test_a_local_time_that_came_twice_is_told_twice():
    berlin = TimeRules(ZoneInfo("Europe/Berlin"), PATTERNS)
    twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert told("gate/20261025_023000.jpg", rules=berlin) == {twice, twice + timedelta(hours=1)}


@pytest.mark.parametrize(
    "path",
    [
        "gate/20260301_120000.jpg",
        "gate/IMG_20260301_120000_HDR.jpg",
        "20260301_120000/a.jpg",
        "gate/120260301_1200007.jpg",
        "gate/2026-03-01_12-00-00.jpg",
        "gate/2026/03/01/12.00.00.jpg",
        "gate/\udcff20260301_120000\n.jpg",
    ],
)
def test_a_name_tells_the_time(path: str):
    assert NOON in told(path)


@pytest.mark.parametrize(
    "path", ["gate/20261301_120000.jpg", "gate/2026030_1200000.jpg", "gate/\u0662\u0660\u0662\u06660301_120000.jpg"]
)
def test_a_name_that_tells_no_time_is_passed_over(path: str):
    assert told(path) == set()


def test_a_time_before_the_calendar_is_passed_over():
    assert told("gate/00010101_000000.jpg", rules=TimeRules(timezone(timedelta(hours=5)), PATTERNS)) == set()


def test_a_patterns_other_characters_mean_themselves():
    rules = TimeRules(UTC, ("%Y.%m.%d(%H+%M+%S)",))
    assert told("gate/2026.03.01(12+00+00).jpg", rules=rules) == {NOON}
    assert told("gate/2026x03x01(12+00+00).jpg", rules=rules) == set()


@pytest.mark.parametrize(
    "pattern", ["", "%Y%m%d", "%Y%m%d_%H%M%S_%S", "%Y%m%d_%H%M%S%f", "%Y%m%d_%H%M%S%", "%y%m%d%H%M%S"]
)
def test_a_pattern_that_gives_no_whole_time_is_refused(pattern: str):
    with pytest.raises(ValueError, match="each of %Y %m %d %H %M %S once"):
        check_name_pattern(pattern)


def test_exif_is_found_behind_other_segments():
    data = picture({Base.DateTime: "2026:03:01 12:00:00"})
    padded = data[:2] + b"\xff\xe5\x00\x06abcd\xff" + data[2:]
    assert told(data=padded) == {NOON}


def test_a_file_that_is_damaged_behind_its_exif_tells_it():
    data = picture({Base.DateTime: "2026:03:01 12:00:00"})
    assert told(data=data[: data.index(b"Exif") + len(exif_of(data) or b"")]) == {NOON}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe1\x00",
        b"\xff\xd8\xff\xe1\x00\x00" * 9,
        b"\xff\xd8" + b"\xff\xe5\x00\x02" * 5000 + picture({Base.DateTime: "2026:03:01 12:00:00"})[2:],
        b"\xff\xd8" + b"\xff\xe5\xff\xff" * (HEAD // 4),
        picture()[:200] + b"Exif\0\0",
        b"\xff\xd8\xff\xe1\x00\x0aExif\0\0MM",
    ],
)
def test_without_exif_there_is_no_time_and_no_stumbling(data: bytes):
    assert told(data=data) == set()


def test_what_pillow_warns_of_stops_nobody():
    """A directory that promises more entries than there are."""
    good = exif_of(picture({Base.DateTime: "2026:03:01 12:00:00"})) or b""
    for end in range(6, len(good)):
        times_of("gate/a.jpg", None, good[:end], IN_UTC)
