"""The kinds of value that a configuration holds: each is checked and brought into one form when it is read."""

import os
import re
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo

from daemon.config.hours import WorkingHours
from framekeep.jpeg import mozjpeg
from framekeep.keepers.naming import canonical
from framekeep.ladder import EXACT, Ladder, parse_ladder
from storage.patterns import compiled
from storage.time_rules import check_name_pattern

_SQLITE: Final = "sqlite:///"
_LEAST, _MOST = 10, 90


def _path(given: object, info: ValidationInfo) -> object:
    return _below_folder(os.fspath(given), info) if isinstance(given, str | Path) else given


def _below_folder(path: str, info: ValidationInfo) -> Path:
    """A relative path is relative to the configuration file's folder, which the context names."""
    if not path or "\0" in path:
        raise ValueError("should be a path, not empty and without NUL")
    folder: Path = info.context["folder"] if info.context else Path.cwd()
    return Path(os.path.normpath(folder / path))  # does not follow links: an open with O_NOFOLLOW has to meet them


def _ledger_url(given: str, info: ValidationInfo) -> str:
    path = given.removeprefix(_SQLITE)
    if path in {given, "", ":memory:"}:
        raise ValueError(f'should be "{_SQLITE}PATH": the ledger is a SQLite file')
    url = f"{_SQLITE}{_below_folder(path, info)}"
    if set("?%") & set(url):
        raise ValueError(f"should hold neither ? nor %, which mean something else in a URL, but becomes {url}")
    return url


def _keeper(given: object) -> str:
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError('should be a keeper\'s name such as "t1k", or a list of names')
    return ",".join(canonical(",".join(names)))


def _ladder(given: object) -> Ladder:
    if isinstance(given, Ladder):
        return given
    if isinstance(given, str) or (isinstance(given, list) and all(type(quality) is int for quality in given)):
        return usable(parse_ladder(given))
    raise ValueError('should be "paper", "fine", "best" or a list of quality factors such as [90, 50, 10]')


def usable(ladder: Ladder) -> Ladder:
    """Raises ValueError with a sentence where this installation lacks a ladder's encoder."""
    if ladder.is_mixed and not mozjpeg.is_installed():
        raise ValueError(mozjpeg.INSTALL)
    return ladder


def _pattern(given: str) -> str:
    compiled([given])
    return given


def _one_or_more(given: object) -> object:
    return (given,) if isinstance(given, str) else given


def _matching_something(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if all(pattern.startswith("!") for pattern in patterns):
        raise ValueError("should hold a pattern that does not begin with !")
    return patterns


def _objects(given: object) -> object:
    if given in ("off", EXACT) or (type(given) is int and _LEAST <= given <= _MOST):
        return given
    raise ValueError(f'should be "off", "{EXACT}", or a quality factor from {_LEAST} to {_MOST} such as 60')


def _device(given: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]+)?", given):
        raise ValueError('should be "auto", "cpu", "cuda", or "cuda:N" for the GPU of that number')
    return given


def _time_zone(given: str) -> str:
    zone_of(given)
    return given


def zone_of(name: str) -> tzinfo:
    """Raises ValueError with a sentence for the name of no time zone."""
    if name == "UTC":  # which needs no database of zones
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError('should be a time zone of this machine such as "UTC" or "Europe/Berlin"') from None


def _hours(given: str) -> str:
    WorkingHours.parse(given, UTC)
    return given


def _sha256(given: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", given):
        raise ValueError("should be 64 hexadecimal digits")
    return given.lower()


TimeZone = Annotated[str, AfterValidator(_time_zone)]
NamePatterns = Annotated[tuple[Annotated[str, AfterValidator(check_name_pattern)], ...], Field(strict=False)]
AbsolutePath = Annotated[Path, BeforeValidator(_path)]
LedgerUrl = Annotated[str, AfterValidator(_ledger_url)]
KeeperNames = Annotated[str, BeforeValidator(_keeper)]
"""Canonical names between commas: "ttk" and ["t5k", "t1k"] become "t1k,t5k"."""
LadderRungs = Annotated[Ladder, BeforeValidator(_ladder), PlainSerializer(lambda ladder: ladder.name, return_type=str)]
Patterns = Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], Field(strict=False)]
SomePatterns = Annotated[Patterns, BeforeValidator(_one_or_more), AfterValidator(_matching_something)]
Device = Annotated[str, AfterValidator(_device)]
Sha256 = Annotated[str, AfterValidator(_sha256)]
Hours = Annotated[str, AfterValidator(_hours)]
"""See daemon/config/hours.py."""
Days = Annotated[float, Field(ge=0, le=36_500)]
"""At most a hundred years, so that no date leaves the calendar."""
Quality = Annotated[int, Field(ge=0, le=100)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Score = Annotated[float, Field(gt=0, lt=1)]
Objects = Annotated[Literal["off", "exact"] | int, BeforeValidator(_objects)]
"""The quality of objects in a frame whose background has another."""
Margin = Annotated[float, Field(ge=0, le=1)]
ClassNames = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False)]
