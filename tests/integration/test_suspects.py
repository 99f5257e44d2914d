"""Suspects of a crash, pictures that take for ever, and marks of what is in flight."""

import io
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from daemon.config.schema import Config
from daemon.house import House, opened
from daemon.suspects import try_suspects
from daemon.sweep import Sweeping, sweep, targets_of
from daemon.trial import Case, survives
from framekeep.errors import ConfigurationError, StuckError
from framekeep.evidence import Evidence
from framekeep.reasons import Reason
from storage.in_flight import Suspect, marked, suspects
from storage.ledger.answers import Wanted
from storage.ledger.opening import open_reader
from storage.root import Root


def picture(size: tuple[int, int] = (64, 48)) -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(data, "JPEG", quality=95)
    return data.getvalue()


class Unseeing:
    """A fake model that never is asked, but for `prepare`, in which it can hang as a decoder might."""

    name, digest, device, class_names, transform = "fake", "0" * 64, "cpu", ("something",), "none"

    def __init__(self, release: threading.Event | None = None):
        self._release = release

    def prepare(self, _image):
        if self._release:
            self._release.wait(120)
        raise AssertionError("nobody is looked at here")

    def look(self, _batch) -> list[Evidence]:
        raise AssertionError("nobody is looked at here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "incoming" / "gate" / "1.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(picture())
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return tmp_path


def config(folder: Path, **limits: float) -> Config:
    given = {"watch": {"settle_seconds": 0.1}, "limits": limits}
    return Config.model_validate(given, context={"folder": folder})


def reasons(house: House) -> list[Reason]:
    with open_reader(house.config.ledger.url) as reader:
        return [decision.reason for decision in reader.decisions(Wanted())]


def test_marks_that_cannot_be_read_stop_the_start_with_a_sentence(folder: Path):
    with Root(str(folder / "incoming")) as root:
        (folder / "incoming/.framekeep/in-flight/mark").mkdir()
        with pytest.raises(ConfigurationError, match=r"in-flight cannot be read.*: Is a directory"):
            suspects(root)


def test_what_is_in_flight_is_marked_and_only_as_long(folder: Path):
    with Root(str(folder / "incoming")) as root:
        with marked(root, "gate/1.jpg", 0.0), marked(root, os.fsdecode(b"gate/\xe9\n.jpg"), 36.5):
            known = Suspect("gate/1.jpg", 0.0), Suspect(os.fsdecode(b"gate/\xe9\n.jpg"), 36.5)
            assert set(suspects(root).values()) == {*known}
        assert suspects(root) == {}


@pytest.mark.parametrize(
    ("left", "meant"),
    [
        (b"", Suspect("", None)),
        (b"gate/1.jpg", Suspect("gate/1.jpg", None)),
        (b"gate/1.jpg\0\0\0", Suspect("gate/1.jpg", None)),
    ],
)
def test_a_mark_that_a_power_cut_left_unfinished_is_no_hindrance(folder: Path, left: bytes, meant: Suspect):
    with Root(str(folder / "incoming")) as root:
        (folder / "incoming/.framekeep/in-flight/mark").write_bytes(left)
        assert suspects(root) == {"mark": meant}


def test_a_suspect_that_survives_is_acquitted(folder: Path):
    with opened(config(folder), Unseeing()) as house:
        (root,) = house.roots.values()
        (folder / "incoming" / ".framekeep" / "in-flight" / "mark").write_bytes(b"gate/1.jpg")
        try_suspects(house)
        assert suspects(root) == {}
        assert reasons(house) == []


def test_a_suspect_that_kills_its_process_is_convicted_and_left_alone(folder: Path):
    """No picture is known that kills this decoder: a trial that nobody survives stands in for it."""
    settings = config(folder)
    (folder / "incoming" / ".framekeep").mkdir(mode=0o700)
    (folder / "incoming" / ".framekeep" / "in-flight").mkdir(mode=0o700)
    (folder / "incoming" / ".framekeep" / "in-flight" / "mark").write_bytes(b"gate/1.jpg")
    with opened(settings, Unseeing()) as house:
        try_suspects(house, lambda case: case.path != "gate/1.jpg")
        sweep(house, targets_of(settings, []), sweeping := Sweeping(dry_run=False))
        assert reasons(house) == [Reason.CRASHED]
    assert (sweeping.tally.seen, sweeping.tally.skipped) == (1, 1)


def test_a_suspect_that_a_policy_excludes_by_now_is_not_read(folder: Path):
    settings = Config.model_validate({"policy": [{"match": "gate/**", "exclude": True}]}, context={"folder": folder})
    with opened(settings, Unseeing()) as house:
        (root,) = house.roots.values()
        (folder / "incoming" / ".framekeep" / "in-flight" / "mark").write_bytes(b"gate/1.jpg")
        try_suspects(house, lambda _case: pytest.fail("it was tried"))
        assert suspects(root) == {}


def test_the_trial_has_limits(folder: Path):
    path = folder / "incoming" / "gate" / "1.jpg"
    Image.new("RGB", (9000, 8000)).save(path, "JPEG")
    case = Case(str(folder / "incoming"), "gate/1.jpg", 1 << 26, 80_000_000, "90", "4:2:0")
    assert survives(case)
    assert not survives(replace(case, megabytes=300))


def test_a_suspect_that_is_gone_is_acquitted(folder: Path):
    with opened(config(folder), Unseeing()) as house:
        (folder / "incoming" / ".framekeep" / "in-flight" / "mark").write_bytes(b"gate/gone.jpg")
        try_suspects(house)
        assert reasons(house) == []


def test_a_picture_that_takes_for_ever_is_journalled_and_the_process_has_to_end(folder: Path):
    release = threading.Event()
    started = time.monotonic()
    settings = config(folder, max_seconds=1)
    with pytest.raises(StuckError, match="left alone from now on"), opened(settings, Unseeing(release)) as house:
        sweep(house, targets_of(settings, []), Sweeping(dry_run=False))
    assert time.monotonic() - started < 60  # it takes three; to wait for the decoder would take for ever
    release.set()
    assert reasons(house) == [Reason.TOO_SLOW]
    with opened(settings, Unseeing()) as house:
        sweep(house, targets_of(settings, []), again := Sweeping(dry_run=False))
    assert (again.tally.skipped, again.tally.seen) == (1, 1)
