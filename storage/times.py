"""When a picture was taken, as far as the picture itself can tell: by its EXIF, by its name, by its file's time.

None of these is sure: a camera's clock may be wrong, a copy changes the file's time. So all of them are given, and a
local time that happened twice (when clocks were put back) is given twice.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from PIL import Image
from PIL.ExifTags import IFD, Base

from framekeep.jpeg.markers import APP1, SOS
from storage.time_rules import TimeRules, moment, times_in_name

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HEAD: Final = 1 << 17
"""Bytes from a file's start in which EXIF is looked for; the specification wants it at the start, in one segment."""
_MOST_SEGMENTS: Final = 1000
_SEGMENT: Final = re.compile(rb"\xff+([\xc0-\xcf\xd9-\xfe])(..)", re.DOTALL)

_EXIF_TIMES: Final = (
    (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
    (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
    (Base.DateTime, Base.OffsetTime),
)
_EXIF_TIME: Final = re.compile(r"(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)


def times_of(path: str, mtime_ns: int | None, exif: bytes | None, rules: TimeRules) -> list[datetime]:
    """Every time of a picture, UTC. `exif`: what `exif_of` gives; whatever is no time in it is passed over."""
    local = [*_local(_exif_times(exif or b""), rules.zone), *_local(times_in_name(path, rules), rules.zone)]
    return local if mtime_ns is None else [*local, *_instants([mtime_ns])]


def exif_of(data: bytes) -> bytes | None:
    """The payload of the first EXIF segment in the first HEAD bytes of a JPEG file, which may be damaged behind it."""
    position = 2
    for _ in range(_MOST_SEGMENTS):
        segment = _SEGMENT.match(data, position, HEAD)
        if segment is None or segment[1][0] == SOS:
            return None
        position = segment.end() - 2 + int.from_bytes(segment[2])
        payload = data[segment.end() : min(position, HEAD)]  # so that a file's head and the whole file tell the same
        if segment[1][0] == APP1 and payload.startswith(b"Exif\0\0"):
            return payload
    return None


def _local(times: Iterable[datetime], zone: tzinfo) -> Iterator[datetime]:
    """The instants that these times may mean; the zone is for those that have none."""
    for time in times:
        for fold in (0, 1):
            try:
                yield time.replace(tzinfo=time.tzinfo or zone, fold=fold).astimezone(UTC)
            except OverflowError:  # at the calendar's ends
                continue


def _instants(mtimes_ns: Iterable[int]) -> Iterator[datetime]:
    for mtime_ns in mtimes_ns:
        try:
            yield _EPOCH + timedelta(microseconds=mtime_ns // 1000)
        except OverflowError:
            continue


def _exif_times(exif: bytes) -> Iterator[datetime]:
    fields = _fields(exif)
    for time, offset in _EXIF_TIMES:
        found = _EXIF_TIME.match(_text(fields.get(time)))
        if local := moment(found.groups() if found else ()):
            yield local.replace(tzinfo=_zone(_text(fields.get(offset))))


def _fields(exif: bytes) -> Mapping[int, Any]:
    warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")  # of what it passes over itself
    try:
        read = Image.Exif()
        read.load(exif)
        return {**read, **read.get_ifd(IFD.Exif)}
    except Exception:  # noqa: BLE001 - hostile EXIF raises whatever Pillow stumbles over, and is no EXIF then
        return {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else value.decode("latin-1") if isinstance(value, bytes) else ""


def _zone(offset: str) -> tzinfo | None:
    found = _OFFSET.match(offset)
    if found is None:
        return UTC if offset.startswith("Z") else None
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-away if found[1] == "-" else away) if away < timedelta(days=1) else None
