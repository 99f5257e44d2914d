"""A forecast is what a sweep would do: the same bytes for every keeper, where all pictures are looked at."""

import io
import os
import signal
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cli.forecast_answer import document, exit_code, tell_shortcomings
from daemon.forecasting.forecasting import Forecast, forecast
from daemon.forecasting.listing import targets_of
from daemon.forecasting.options import Option
from daemon.forecasting.outlook import outlooks
from daemon.forecasting.progress import Progress
from daemon.house import opened_quietly
from daemon.sweep import Sweeping, rehearse
from daemon.sweep import targets_of as swept_targets
from framekeep.evidence import Detections, Evidence, Prediction
from framekeep.keepers.base import Need
from framekeep.models.base import Prepared
from framekeep.models.both import Both
from framekeep.reasons import Reason


class Sensitive:
    """A model that sees something else in nearly every variant: what it sees hangs on single pixels."""

    name, digest, transform, device, class_names = "sensitive", "00", "none", "cpu", tuple("abcdefgh")

    def __init__(self, then: Callable[[int], None] = lambda _: None) -> None:
        self.looks = 0
        self._then = then

    def prepare(self, image: Image.Image) -> Prepared:
        small = np.asarray(image.convert("L").resize((8, 8), Image.Resampling.NEAREST), dtype=np.float64)
        return (small.ravel() - small.mean()) / (small.std() + 1)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        self.looks += len(batch)
        self._then(self.looks)
        return [self.see(pixels) for pixels in batch]

    def see(self, pixels: Prepared) -> Evidence:
        logits = pixels @ np.random.default_rng(5).normal(size=(64, 8)) / 7
        odds = np.exp(logits - logits.max())
        return Evidence(Prediction((odds / odds.sum()).astype(np.float32)))


class Spotting(Sensitive):
    """And a detector like that."""

    name = "spotting"

    def see(self, pixels: Prepared) -> Evidence:
        scores = np.sort(0.5 + pixels[:6] / 4)[::-1].clip(0, 1).astype(np.float32)
        boxes = np.array([[10 * k, 0, 10 * k + 8, 8] for k in range(6)], np.float32)
        return Evidence(detections=Detections(("spot",) * 6, scores, boxes))


@pytest.fixture(scope="module")
def delivered() -> dict[str, bytes]:
    """Pictures of three cameras of which some shrink much and some little; one name is not UTF-8."""
    chance = np.random.default_rng(3)
    pictures = {}
    for k, name in enumerate(
        ["gate/1.jpg", "gate/2.jpg", "gate/day/3.jpg", os.fsdecode(b"yard/\xe4.jpg"), "5.jpg", "yard/6.jpg"]
    ):
        pixels = chance.integers(0, 256, (64 + 200 * k, 96 + 180 * k, 3)).astype(np.uint8)
        file = io.BytesIO()
        image = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(k / 2))
        image.save(file, "JPEG", quality=(98, 90, 60, 95, 30, 99)[k])
        pictures[name] = file.getvalue()
    return pictures


@pytest.fixture
def archive(site, delivered):
    """Beside them lie files that a sweep leaves as they are."""
    site.configure(encoder={"progressive": True})
    for name, data in delivered.items():
        site.add(name, data)
    site.add("gate/odd.jpg", b"this is no picture")
    site.add("gate/torn.jpg", delivered["gate/1.jpg"][:-400])
    site.add("gate/empty.jpg", b"")
    site.add("gate/notes.txt", b"not looked at")
    (site.root / "yard/link.jpg").symlink_to("6.jpg")
    return site


MODELS = {Need.PREDICTION: Sensitive(), Need.DETECTIONS: Spotting()}


def foretold(site, paths: Sequence[Path], models=None) -> Forecast:
    config = site.config
    return forecast(config, models or MODELS, targets_of(config, paths), 0.95, Progress(600))


def rehearsed(site, option: Option) -> int:
    """The bytes that a sweep with this keeper leaves."""
    config = site.config.overridden(keeper=option.keeper, min_confidence=option.min_confidence or 0.0)
    detection = config.detection.model_copy(update={"regions": option.regions or "off"})
    config = config.model_copy(update={"detection": detection})
    sweeping = Sweeping(dry_run=True)
    with opened_quietly(config, Both(*MODELS.values())) as house:
        rehearse(house, swept_targets(config, []), sweeping)
    return sweeping.tally.bytes_after


@pytest.mark.parametrize(
    ("selection", "detection"),
    [
        ({}, {}),
        ({"keeper": "objects", "ladder": "fine", "floor_quality": 40}, {"quality_when_found": 50, "regions": 70}),
        ({"ladder": [95, 30, 20], "min_saving": 0.5}, {"regions_margin": 0.5}),
    ],
)
def test_it_tells_to_the_byte_what_a_sweep_would_do(
    archive, photograph, selection: dict[str, Any], detection: dict[str, Any]
):
    archive.configure(selection=selection, detection=detection, encoder={"progressive": not selection})
    archive.add("yard/rgb.jpg", photograph(7, keep_rgb=True, subsampling="4:4:4"))  # cannot be coded apart
    found = foretold(archive, [archive.root])
    left = {}
    for one in outlooks(found.options, found.sample, 0.95):
        left[one.option.name] = round(found.archive.bytes / one.ratio.value)
        assert left[one.option.name] == rehearsed(archive, one.option), one.option
    assert len(set(left.values())) > 3
    assert len({sizes for name, sizes in left.items() if name.startswith("objects")}) == 3
    assert found.sample.kept == {Reason.NOT_JPEG: 1, Reason.TRUNCATED: 1, Reason.SYMLINK: 1}


@pytest.mark.parametrize("progressive", [True, False])
def test_of_a_mixed_ladder_it_tells_to_the_byte_too(site, photograph, *, progressive: bool):
    detection = {"quality_when_found": 30}
    site.configure(selection={"ladder": "best"}, detection=detection, encoder={"progressive": progressive})
    site.add("gate/1.jpg", photograph(1))
    site.add("gate/2.jpg", photograph(2, quality=80))
    found = foretold(site, [site.root])
    left = {}
    for one in outlooks(found.options, found.sample, 0.95):
        left[one.option.name] = round(found.archive.bytes / one.ratio.value)
        assert left[one.option.name] == rehearsed(site, one.option), one.option
    assert len(set(left.values())) > 3


def test_each_policy_and_stage_has_its_way(archive):
    later = {"from_days": 2, "ladder": "fine", "floor_quality": 20}
    archive.configure(
        selection={"stage": [{"from_days": 0, "min_saving": 0.3}, later]},
        policy=[
            {"match": "gate/day/", "exclude": True},
            {"match": "gate/", "ladder": [50, 30], "floor_quality": 30},
        ],
    )
    os.utime(archive.root / "5.jpg", (1, 1))
    found = foretold(archive, [archive.root])
    for one in outlooks(found.options, found.sample, 0.95)[:3]:
        assert round(found.archive.bytes / one.ratio.value) == rehearsed(archive, one.option), one.option
    assert found.sample.kept[Reason.EXCLUDED] == 1


def test_a_place_outside_every_root_is_forecast_too(archive, delivered, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    for name, data in delivered.items():
        path = elsewhere / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found = foretold(archive, [elsewhere, elsewhere / "gate", elsewhere / "gate/1.jpg"])
    assert found.archive.pictures == len(delivered)
    assert set(found.archive.cameras) == {".", "gate", "yard"}
    assert foretold(archive, [elsewhere / "gate/1.jpg"]).archive.pictures == 1
    both = foretold(archive, [elsewhere / "gate", archive.root / "gate"])
    assert set(both.archive.cameras) == {str(elsewhere / "gate"), f"{elsewhere}/gate/day", f"{archive.root}/gate"}


def test_nothing_on_disk_changes_and_no_ledger_is_made(archive):
    def state() -> dict[Path, tuple[int, ...]]:
        return {path: facts(path.lstat()) for path in (archive.root, *archive.root.rglob("*"))}

    def facts(one: os.stat_result) -> tuple[int, ...]:
        read = () if stat.S_ISDIR(one.st_mode) else (one.st_atime_ns,)  # whoever lists a folder reads it
        return one.st_mode, one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino, one.st_nlink, one.st_uid, *read

    contents = {path: path.read_bytes() for path in archive.root.rglob("*") if path.is_file()}
    for path in contents:
        os.utime(path, ns=(1, 2))  # read before it was written: any reading shows, also where few are noted
    before, beside = state(), set(archive.folder.iterdir())
    foretold(archive, [archive.root])
    assert state() == before
    assert set(archive.folder.iterdir()) == beside
    assert {path: path.read_bytes() for path in contents} == contents


def test_what_framekeep_wrote_is_not_forecast_to_shrink_again(archive):
    before = foretold(archive, [archive.root])
    archive.sweep(Sensitive())
    after = foretold(archive, [archive.root])
    shrunk = sum(decision.reason in (Reason.QUALIFIED, Reason.SQUEEZED) for decision in archive.decisions())
    assert shrunk > 2
    assert after.sample.kept[Reason.ALREADY_SHRUNK] == shrunk
    assert after.archive.bytes < before.archive.bytes


def test_an_interruption_ends_with_what_is_known_by_then(archive, photograph):
    for seed in range(60):
        archive.add(f"gate/more {seed}.jpg", photograph(seed))
    interrupting = Sensitive(lambda looks: looks == 100 and os.kill(os.getpid(), signal.SIGINT))
    handler = signal.getsignal(signal.SIGINT)
    found = foretold(archive, [archive.root], {Need.PREDICTION: interrupting})
    assert found.progress.interrupted
    assert 5 < len(found.sample) < 20
    assert all(one.ratio.low < one.ratio.value < one.ratio.high for one in outlooks(found.options, found.sample, 0.95))
    assert signal.getsignal(signal.SIGINT) is handler
    assert exit_code(found) == 130


def test_nobody_waits_for_a_picture_that_takes_long(site, photograph, capsys):
    site.add("gate/1.jpg", photograph(1))

    def interrupt(looks: int) -> None:
        if looks == 2:  # the smallest variant of the only picture
            os.kill(os.getpid(), signal.SIGINT)
        if looks > 1:
            time.sleep(0.5)

    model = Sensitive(interrupt)
    found = foretold(site, [site.root], {Need.PREDICTION: model})
    assert (len(found.sample), exit_code(found)) == (0, 130)
    assert model.looks < 5
    tell_shortcomings(found, 0.95)
    assert "interrupted before a picture was looked at" in capsys.readouterr().err
    assert document(found, 0.95)["forecasts"] == []


def test_time_that_is_over_ends_it_with_what_is_known_by_then(archive):
    found = forecast(archive.config, MODELS, targets_of(archive.config, [archive.root]), 0.95, Progress(1e-9))
    assert len(found.sample) == 1
    assert not found.progress.interrupted


def test_a_model_that_fails_at_one_picture_costs_that_picture_alone(archive):
    def fail(looks: int) -> None:
        if looks == 1:
            raise FloatingPointError("not finite")

    found = foretold(archive, [archive.root], {Need.PREDICTION: Sensitive(fail)})
    assert found.sample.kept[Reason.ERROR] == 1
    assert exit_code(found) == 3
    assert found.sample.has_all
