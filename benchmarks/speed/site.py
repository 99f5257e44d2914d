"""A folder with a configuration, a watched root and a ledger, on which the installed command works."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import tomli_w

from benchmarks.ratios import copy
from benchmarks.speed.running import FRAMEKEEP, Ran, ran, script
from framekeep.ladder import Rung, parse_ladder

_LOWEST_FIRST: Final = tuple(reversed(parse_ladder("paper").rungs))


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep came to."""

    summary: dict[str, Any]
    """As `sweep --json` has it, and "processor", seconds, and "looks"."""
    decisions: Sequence[dict[str, Any]]

    @property
    def seconds(self) -> float:
        """A picture, without the start."""
        return float(self.summary["seconds"] / self.summary["seen"])

    @property
    def processor(self) -> float:
        """Seconds of one processor a picture, likewise."""
        return float(self.summary["processor"] / self.summary["seen"])

    @property
    def looks(self) -> float:
        """A picture."""
        return float(self.summary["looks"] / self.summary["seen"])


@dataclass(frozen=True, slots=True)
class Site:
    """Everything lies below one folder, which must be on a filesystem that can exchange two files."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "incoming"

    @property
    def ledger(self) -> Path:
        return self.folder / "var" / "ledger.sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.ledger}"

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def configure(self, **sections: dict[str, Any]) -> "Site":
        """With what every benchmark wants, on the CPU unless `selection` says otherwise."""
        given = {"watch": {}, "selection": {}, "vault": {"floor_megabytes": 0}} | sections
        watch = {"settle_seconds": 0.1} | given["watch"]
        selection = {"device": "cpu"} | given["selection"]
        self.config.write_text(tomli_w.dumps({**given, "watch": watch, "selection": selection}))
        self.root.mkdir(exist_ok=True)
        return self

    def framekeep(self, *command: str) -> Ran:
        return ran([FRAMEKEEP, *command, "--config", self.config])

    def sweep(self) -> Swept:
        summary = json.loads(ran(script("sweeping", self.config)).output)
        rows = self.framekeep("decisions", "--json", "--limit", "1000000").output.splitlines()
        return Swept(summary, [json.loads(row) for row in rows])


@contextmanager
def made(**sections: dict[str, Any]) -> Iterator[Site]:
    """A site of its own, which goes afterwards."""
    with TemporaryDirectory(prefix="framekeep-speed-") as folder:
        yield Site(Path(folder)).configure(**sections)


def swept(pictures: Path, **sections: dict[str, Any]) -> Swept:
    """Sweeps a copy of a folder."""
    with made(**sections) as site:
        shutil.rmtree(site.root)
        copy(pictures, site.root)
        return site.sweep()


def rungs_seen(quality: int | None) -> tuple[Rung, ...]:
    """The rungs at which a lazy search tried the picture before it ended at this quality, or at the original."""
    tried = [rung for rung in _LOWEST_FIRST if quality is None or rung.quality <= quality]
    return tuple(tried)
