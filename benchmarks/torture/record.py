"""The record: one JSON line a run, committed, so that a long form may run in pieces."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from framekeep import __version__
from framekeep.jpeg.codec import encoder_versions

RECORD: Final = Path(__file__).with_name("record.jsonl")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of one test came to. A test that counts something more says so in `facts`."""

    name: str
    count: int
    lost: int
    damaged: int
    half_written: int
    seed: int
    seconds: float
    facts: Mapping[str, int]

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.damaged or self.half_written)


def versions() -> str:
    """What was tested, on what."""
    return (
        f"framekeep {__version__}, Python {platform.python_version()}, Linux {platform.release()}, {encoder_versions()}"
    )


def append(run: Run, record: Path = RECORD) -> None:
    """Adds a run, with its date and versions, to the record."""
    line = asdict(run) | {"versions": versions(), "date": datetime.now(UTC).isoformat(timespec="seconds")}
    with record.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def runs(record: Path = RECORD) -> list[Run]:
    """All runs, oldest first."""
    if not record.exists():
        return []
    lines = map(json.loads, record.read_text(encoding="utf-8").splitlines())
    return [Run(**{name: line[name] for name in Run.__slots__}) for line in lines]
