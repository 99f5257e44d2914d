"""What several files share: a site that is swept with a model that sees the same in everything, and a watcher."""

import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
import tomli_w
from PIL import Image

from cli.main import run
from daemon.config.loading import load
from daemon.config.schema import Config
from daemon.house import opened
from daemon.names import NameFilter
from daemon.sweep import Sweeping, sweep, targets_of
from daemon.watch import Hearing, Watcher
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from storage.ledger.answers import Decision, Wanted
from storage.ledger.breakers import Opening
from storage.ledger.opening import open_reader

PATIENCE = 60.0
"""Seconds; what is waited for mostly comes at once."""


class Steadfast:
    """A model that sees the same in everything; `second`: what it sees in all but the first of a batch."""

    name, device = "steadfast", "cpu"

    def __init__(
        self,
        digest: str = "00",
        transform: str = "none",
        second: float = 0.9,
        class_names: Sequence[str] = ("cat", "dog"),
    ):
        self.digest, self.transform, self.second, self.class_names = digest, transform, second, class_names

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        seen = [0.9, *[self.second] * (len(batch) - 1)]
        return [Evidence(Prediction(np.array([cat, 1 - cat], np.float32))) for cat in seen]


def _photograph(seed: int, **saving: Any) -> bytes:
    noise = np.random.default_rng(seed).normal(128, 20, (96, 128, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", **{"quality": 95} | saving)
    return file.getvalue()


@dataclass(frozen=True)
class Site:
    """A folder with a configuration, a watched root and a ledger."""

    folder: Path
    originals: dict[str, bytes] = field(default_factory=dict)
    """What the cameras have delivered, where a fixture did it."""

    @property
    def config(self) -> Config:
        return load(self.folder / "config.toml")

    @property
    def root(self) -> Path:
        return self.folder / "incoming"

    @property
    def own(self) -> Path:
        return self.root / ".framekeep"

    @property
    def ledger(self) -> Path:
        return self.folder / "var/ledger.sqlite"

    def configure(self, **sections: Any) -> None:
        given = {"watch": {"settle_seconds": 0.1}, "encoder": {"progressive": False}} | sections
        (self.folder / "config.toml").write_text(tomli_w.dumps(given))

    def path(self, name: str) -> Path:
        return self.root / name

    def add(self, name: str, data: bytes) -> Path:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_bytes(data)
        return self.path(name)

    def sweep(self, model: Steadfast | None = None, *, accept_model: bool = False) -> Sweeping:
        sweeping = Sweeping(dry_run=False)
        with opened(self.config, model or Steadfast(), accept_model=accept_model) as house:
            sweep(house, targets_of(house.config, []), sweeping)
        return sweeping

    def run(self, *command: str | Path) -> int:
        return run([*map(str, command), "--config", str(self.folder / "config.toml")])

    def decisions(self, path: str | None = None, **wanted: Any) -> list[Decision]:
        """Newest first."""
        with open_reader(self.config.ledger.url) as reader:
            return list(reader.decisions(Wanted(path=path, **wanted)))

    def openings(self) -> list[Opening]:
        with open_reader(self.config.ledger.url) as reader:
            return reader.openings()

    def restored(self) -> set[str]:
        """The pictures that are as the camera wrote them."""
        return {name for name, data in self.originals.items() if self.path(name).read_bytes() == data}

    def in_vault(self) -> set[str]:
        return {path.name for path in (self.own / "vault").iterdir()}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """With an empty root."""
    site = Site(tmp_path)
    site.configure()
    site.root.mkdir()
    yield site
    structlog.reset_defaults()  # a command's log goes to a captured stream


@pytest.fixture(scope="session")
def steadfast() -> type[Steadfast]:
    return Steadfast


@pytest.fixture(scope="session")
def photograph() -> Callable[..., bytes]:
    """Makes a JPEG that shrinks, another one from each seed."""
    return _photograph


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """The class names of a detector of one's own."""
    (tmp_path / "names.txt").write_text("door\ngate\n")
    return tmp_path / "names.txt"


@pytest.fixture
def filled(site: Site) -> Site:
    """Pictures of three cameras have come; one name is not UTF-8."""
    site.configure(vault={"floor_megabytes": 0})
    names = ("gate/1.jpg", "gate/2.jpg", "gate2/3.jpg", os.fsdecode(b"yard/n\xe4chtlich.jpg"))
    site.originals.update({name: _photograph(seed) for seed, name in enumerate(names)})
    for name, data in site.originals.items():
        site.add(name, data)
    return site


@pytest.fixture
def swept(filled: Site) -> Site:
    """They have been replaced."""
    assert filled.sweep().tally.replaced == len(filled.originals)
    return filled


class Heard:
    """What a watcher delivered, from its threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.deliveries: list[tuple[str, str]] = []
        self.overflows = 0

    @property
    def hearing(self) -> Hearing:
        return Hearing(NameFilter(), self._deliver, self._overflowed)

    @property
    def paths(self) -> set[str]:
        with self._changed:
            return {path for _, path in self.deliveries}

    def expect(self, *paths: str) -> None:
        """Waits until each of these paths was delivered since the last time."""
        self.wait(lambda: {path for _, path in self.deliveries} >= set(paths))
        self.forget()

    def expect_overflow(self) -> None:
        self.wait(lambda: self.overflows > 0)

    def forget(self) -> None:
        with self._changed:
            self.deliveries.clear()

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), f"only {self.deliveries} by now"

    def _deliver(self, root: str, path: str) -> None:
        with self._changed:
            self.deliveries.append((root, path))
            self._changed.notify_all()

    def _overflowed(self) -> None:
        with self._changed:
            self.overflows += 1
            self._changed.notify_all()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What the watcher watches."""
    root = tmp_path / "incoming"
    (root / "gate").mkdir(parents=True)
    return root


@pytest.fixture(scope="session")
def new_heard() -> type[Heard]:
    return Heard


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watcher(root: Path, heard: Heard) -> Iterator[Watcher]:
    watcher = Watcher([str(root)], heard.hearing)
    watcher.start()
    yield watcher
    watcher.stop()


@pytest.fixture(scope="session")
def drop() -> Callable[[Path], None]:
    """Puts a file where it is told to."""

    def dropped(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")

    return dropped


@pytest.fixture(scope="session")
def watches() -> Callable[[], int]:
    """Tells how many inotify watches this process has."""

    def counted() -> int:
        infos = (path.read_text() for path in Path("/proc/self/fdinfo").iterdir() if path.exists())
        return sum(line.startswith("inotify wd:") for text in infos for line in text.splitlines())

    return counted
