"""Legal holds, and what goes on at the same time: sweeps, releases, and a command in a process of its own."""

import asyncio
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from PIL import Image
from PIL.ExifTags import Base

import daemon.releasing
from daemon.config.loading import load
from daemon.config.schema import Config
from daemon.following import follow_deletes, orphans
from daemon.holding import add_hold
from daemon.house import House, opened, opened_quietly
from daemon.journal import Journal
from daemon.pipeline import Pipeline
from daemon.releasing import delete, release_due
from daemon.replacing import Replacing
from daemon.scanning import Scan
from daemon.stages import Stages
from daemon.sweep import Sweeping, rehearse, targets_of
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from framekeep.reasons import Reason
from storage.holds import unheld_while, wait_for_swaps
from storage.ledger.answers import Decision, Wanted
from storage.ledger.opening import open_reader, open_writer
from storage.records import Claim
from storage.root import Root

GATE = Claim("why", camera="gate")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = 60.0
"""Seconds, on a busy machine."""


@dataclass
class Steadfast:
    """A model that sees a cat in everything, and counts how often it is asked."""

    name, digest, device, class_names, transform = "steadfast", "00", "cpu", ("cat", "dog"), "none"
    looks: list[int] = field(default_factory=list)

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        self.looks.append(len(batch))
        return [Evidence(Prediction(np.array([0.9, 0.1], np.float32))) for _ in batch]


class Between(Stages):
    """Does something just before the swap, when all is planned."""

    act: Callable[[], object]

    async def disk(self, work: Callable[..., object], *args: object, **kwargs: object) -> object:
        if work.__name__ == "swap_in":
            self.act()
        return await super().disk(work, *args, **kwargs)


@dataclass(frozen=True)
class Site:
    folder: Path

    @property
    def config(self) -> Config:
        return load(self.folder / "config.toml")

    @property
    def root(self) -> str:
        return str(self.folder / "incoming")

    def path(self, name: str) -> Path:
        return self.folder / "incoming" / name

    def inside(self, folder: str) -> list[str]:
        return [path.name for path in self.path(f".framekeep/{folder}").iterdir() if path.suffix != ".json"]

    def deliver(self, name: str, exif: str | None = None) -> bytes:
        noise = np.random.default_rng(len(name)).normal(128, 20, (96, 128, 3)).clip(0, 255).astype(np.uint8)
        tags, file = Image.Exif(), io.BytesIO()
        if exif:
            tags[Base.DateTime] = exif
        Image.fromarray(noise).save(file, "JPEG", quality=95, exif=tags)
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_bytes(file.getvalue())
        return file.getvalue()

    def sweep(self, act: Callable[[], object] = lambda: None, model: Steadfast | None = None) -> None:
        with opened(self.config, model or Steadfast()) as house:
            asyncio.run(_swept(house, act))

    def reasons(self) -> dict[str, Reason]:
        """By the newest decision of each path."""
        return {decision.place.path: decision.reason for decision in reversed(self.decisions())}

    def decisions(self) -> list[Decision]:
        with open_reader(self.config.ledger.url) as reader:
            assert reader.verify_chain() is None
            return list(reader.decisions(Wanted()))

    def unhold(self, number: int) -> None:
        with open_writer(self.config.ledger.url) as writer:
            writer.remove_hold(number, "closed")


async def _swept(house: House, act: Callable[[], object]) -> None:
    journal = Journal(house.writer, house.ledger)
    with Between(4, 10**8, 60) as stages:
        stages.act = act
        acting = Replacing(stages, journal, house.roots, house.holds)
        scan = Scan(house.names, house.rules, journal.known, lambda _size: None)
        pipeline = Pipeline(stages, acting, house.rules, lambda _sheet, _draft: None)
        for root in house.roots.values():
            await pipeline.run(scan.below(root))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "config.toml").write_text(tomli_w.dumps({"vault": {"days": 0}, "watch": {"settle_seconds": 0.1}}))
    return Site(tmp_path)


@pytest.fixture
def root(site: Site) -> Iterator[Root]:
    with Root(site.root) as root:
        yield root


def test_what_is_held_is_not_even_looked_at(site: Site):
    original = site.deliver("gate/a.jpg")
    site.deliver("yard/b.jpg")
    hold, model = add_hold(site.config, GATE), Steadfast()
    site.sweep(model=model)
    assert site.reasons() == {"gate/a.jpg": Reason.HELD, "yard/b.jpg": Reason.QUALIFIED}
    assert site.path("gate/a.jpg").read_bytes() == original
    assert sum(model.looks) == 2
    site.unhold(hold.number)
    site.sweep()
    assert site.reasons()["gate/a.jpg"] is Reason.QUALIFIED


def test_a_dry_run_knows_of_holds(site: Site):
    site.deliver("gate/a.jpg")
    add_hold(site.config, GATE)
    sweeping = Sweeping(dry_run=True)
    with opened_quietly(site.config, Steadfast()) as house:
        rehearse(house, targets_of(site.config, []), sweeping)
    assert dict(sweeping.tally.reasons) == {"held": 1}


def test_a_hold_that_comes_when_the_swap_is_planned_is_respected(site: Site):
    original = site.deliver("gate/a.jpg")
    site.sweep(act=partial(add_hold, site.config, GATE))
    assert site.reasons() == {"gate/a.jpg": Reason.HELD}
    (decision,) = site.decisions()
    assert (decision.state.name, decision.note) == ("ABANDONED", "hold 1")
    assert site.path("gate/a.jpg").read_bytes() == original
    assert [*site.path(".framekeep/staged").iterdir(), *site.path(".framekeep/vault").iterdir()] == []


def test_a_command_that_adds_a_hold_waits_for_the_swap_under_way(site: Site, root: Root):
    program = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "hold", "add", "--camera", "gate", "--reason", "why"]
    environment = os.environ | {"FRAMEKEEP_CONFIG": str(site.folder / "config.toml")}
    open_writer(site.config.ledger.url).close()
    with unheld_while(root):
        adding = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        with open_reader(site.config.ledger.url) as reader:
            _wait_until(lambda: bool(reader.holds()))
        with pytest.raises(subprocess.TimeoutExpired):
            adding.wait(0.3)
    assert adding.wait(PATIENCE) == 0


def test_swaps_that_overlap_do_not_keep_a_hold_waiting_for_ever(root: Root):
    done = threading.Event()

    def swap(pause: float) -> None:
        while not done.is_set():
            with unheld_while(root):
                time.sleep(pause)

    swaps = [threading.Thread(target=swap, args=(0.02 + 0.005 * number,)) for number in range(6)]
    for thread in swaps:
        thread.start()
    try:
        started = time.monotonic()
        for _ in range(5):
            wait_for_swaps(root)
        assert time.monotonic() - started < PATIENCE
    finally:
        done.set()
        for thread in swaps:
            thread.join()


def _wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def due(site: Site) -> Site:
    for name in ("gate/a.jpg", "yard/b.jpg", "gate/20260301_120000.jpg"):
        site.deliver(name)
        os.utime(site.path(name), (0, 0))
    site.deliver("porch/c.jpg", exif="2026:03:01 12:00:00")
    os.utime(site.path("porch/c.jpg"), (0, 0))
    site.sweep()
    assert len(site.inside("vault")) == 4
    return site


def released(site: Site) -> set[str]:
    with opened(site.config, Steadfast()) as house:
        result = house.ledger.submit(release_due, house.writer, house.vaults, datetime.now(UTC)).result()
    gone = {decision.place.path for decision in site.decisions() if decision.released_at}
    assert result.originals + result.held == 4
    assert len(site.inside("vault")) == result.held == 4 - len(gone)
    return gone


@pytest.mark.parametrize("at_once", [1, 500])
def test_what_is_held_is_not_released_and_keeps_no_other_from_it(
    due: Site, at_once: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(daemon.releasing, "_AT_ONCE", at_once)
    hold = add_hold(due.config, GATE)
    assert released(due) == {"yard/b.jpg", "porch/c.jpg"}
    due.unhold(hold.number)
    with opened(due.config, Steadfast()) as house:
        house.ledger.submit(release_due, house.writer, house.vaults, datetime.now(UTC)).result()
    assert due.inside("vault") == []


def test_an_original_is_held_by_the_times_of_its_name_and_of_its_exif(due: Site):
    minute = timedelta(minutes=1)
    add_hold(due.config, Claim("why", pattern="**", since=NOON - minute, until=NOON + minute))
    assert released(due) == {"gate/a.jpg", "yard/b.jpg"}


def test_an_original_is_held_by_the_time_of_its_file(due: Site):
    entry = next(iter(due.inside("vault")))
    os.utime(due.path(f".framekeep/vault/{entry}"), (NOON.timestamp(), NOON.timestamp()))
    add_hold(due.config, Claim("why", pattern="**", since=NOON, until=NOON))
    assert len(released(due)) < 3
    assert entry in due.inside("vault")


def test_a_hold_that_comes_after_the_ledger_was_asked_what_is_due_is_respected(due: Site):
    with opened(due.config, Steadfast()) as house:

        def release_late() -> int:
            entries = house.writer.due(datetime.now(UTC), 9, [due.root])
            add_hold(due.config, GATE)
            return delete(house.writer, house.vaults, entries, datetime.now(UTC)).held

        assert house.ledger.submit(release_late).result() == 2
    assert len(due.inside("vault")) == 2


def test_an_original_whose_picture_comes_back_at_the_last_moment_does_not_follow_it(
    due: Site, monkeypatch: pytest.MonkeyPatch
):
    pictures = [due.path("gate/a.jpg"), due.path("yard/b.jpg")]
    variants = [picture.read_bytes() for picture in pictures]
    for picture in pictures:
        picture.unlink()
    locked = daemon.releasing.vault.locked

    @contextmanager
    def locked_late(root: Root) -> Iterator[None]:
        """As if one were waited for while somebody else, who had the lock, put a picture back."""
        pictures[0].write_bytes(variants[0])
        with locked(root):
            yield

    with opened(due.config, Steadfast()) as house:
        found = orphans(house.reader, house.vaults.roots)
        assert len(found) == 2
        monkeypatch.setattr(daemon.releasing.vault, "locked", locked_late)
        done = house.ledger.submit(follow_deletes, house.writer, house.vaults, found, datetime.now(UTC)).result()
    assert done.originals == 1
    assert {decision.place.path for decision in due.decisions() if decision.released_at} == {"yard/b.jpg"}


def test_an_original_whose_times_cannot_be_read_is_not_released(due: Site):
    add_hold(due.config, Claim("why", pattern="**", since=NOON, until=NOON))
    for entry in due.inside("vault"):
        with suppress(FileNotFoundError):
            due.path(f".framekeep/vault/{entry}").unlink()
        due.path(f".framekeep/vault/{entry}").symlink_to("/etc/hostname")
    with opened(due.config, Steadfast()) as house:
        done = house.ledger.submit(release_due, house.writer, house.vaults, datetime.now(UTC)).result()
    assert done.originals == 0
    assert len(due.inside("vault")) == 4
