"""The section [pressure], and how much free space it asks for."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator

from daemon.config.section import Section
from daemon.config.values import Days

_UNITS: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?) ?(%|MB|GB|TB)")
_WHOLE: Final = 100


def _amount(given: str) -> str:
    if not _AMOUNT.fullmatch(given):
        raise ValueError('should be a share of the filesystem such as "10%", or an amount such as "50 GB" (MB, GB, TB)')
    if not 0 < bytes_of(given, _WHOLE) < _WHOLE and given.endswith("%"):
        raise ValueError("should be more than 0% and less than 100%")
    return given


def bytes_of(amount: str, total: int) -> int:
    """An amount of free space in bytes, on a filesystem of so many."""
    found = _AMOUNT.fullmatch(amount)
    if found is None:
        raise ValueError(amount)
    number, unit = float(found[1]), found[2]
    return int(number * _UNITS[unit]) if unit in _UNITS else int(number / _WHOLE * total)


class Pressure(Section):
    when_free_below: Annotated[str, AfterValidator(_amount)] | None = None
    vault_days: Days = 0


def faults_of(pressure: Pressure, floor_megabytes: float, root: Path) -> Iterator[str]:
    """What is wrong with the amount where this root lies. Raises OSError."""
    if pressure.when_free_below is None:
        return
    status = os.statvfs(root)
    total, floor = status.f_blocks * status.f_frsize, int(floor_megabytes * 2**20)
    wanted = bytes_of(pressure.when_free_below, total)
    if wanted <= floor:
        yield (
            f"{root}: {pressure.when_free_below} of its filesystem are {wanted // 10**6} MB, but [vault] "
            f"floor_megabytes = {floor_megabytes:g} stops all replacing before there is so little: ask for more"
        )
    if wanted >= total:
        yield f"{root}: {pressure.when_free_below} are more than its whole filesystem has ({total // 10**6} MB)"
