"""verify on a root that was swept in earnest, with damage of every kind done to it."""

import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
import tomli_w
from jsonschema import Draft202012Validator
from PIL import Image

from cli.main import run
from daemon.config.loading import load
from daemon.config.schema import Config
from daemon.findings import Finding, Kind, Verified
from daemon.house import opened
from daemon.labels import LabelCheck
from daemon.pace import Pace
from daemon.rules import limits_of
from daemon.sweep import Sweeping, sweep, targets_of
from daemon.verifying import Scope, verify
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from storage.ledger.opening import open_reader

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/verify.json").read_text())


class Steadfast:
    """A model that sees the same in everything, until it is told to see something else."""

    name, digest, device, class_names, transform = "steadfast", "00", "cpu", ("cat", "dog"), "none"

    def __init__(self, cat: float = 0.9):
        self.cat = cat

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        return [Evidence(Prediction(np.array([self.cat, 1 - self.cat], np.float32))) for _ in batch]


class Wavering(Steadfast):
    """Sees a cat in the first picture of each batch, and a dog in every other."""

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        seen = [(0.9, 0.1), *[(0.1, 0.9)] * (len(batch) - 1)]
        return [Evidence(Prediction(np.array(one, np.float32))) for one in seen]


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
    def own(self) -> Path:
        return self.folder / "incoming/.framekeep"

    def path(self, name: str) -> Path:
        return self.folder / "incoming" / name

    def configure(self, **sections: dict[str, Any]) -> None:
        given = {"watch": {"settle_seconds": 0.1}, "encoder": {"progressive": False}} | sections
        (self.folder / "config.toml").write_text(tomli_w.dumps(given))

    def sweep(self) -> None:
        with opened(self.config, Steadfast()) as house:
            sweep(house, targets_of(house.config, []), Sweeping(dry_run=False))

    def run(self, *arguments: str | Path) -> int:
        verb, *rest = arguments
        return run([str(verb), "--config", str(self.folder / "config.toml"), *map(str, rest)])

    def original(self, name: str) -> Path:
        """The vault's entry of a replaced picture."""
        mark = json.loads(os.getxattr(self.path(name), "user.framekeep"))
        return self.own / "vault" / mark["decision"]

    def found(self, labels: LabelCheck | None = None, **scoped: Any) -> tuple[list[Finding], Verified]:
        scope = Scope(targets_of(self.config, []), limits_of(self.config), labels=labels, **scoped)
        verified = Verified()
        with open_reader(self.config.ledger.url) as reader:
            return list(verify(reader, scope, verified)), verified

    def kinds(self, labels: LabelCheck | None = None) -> list[tuple[str, Kind]]:
        findings, _ = self.found(labels)
        return sorted(((one.place.path, one.kind) for one in findings), key=lambda one: (one[0][0] == ".", one[0]))


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.configure()
    for name in ("gate/1.jpg", "gate/2.jpg"):
        site.path(name).parent.mkdir(parents=True, exist_ok=True)
        site.path(name).write_bytes(photograph(int(name[-5])))
    site.sweep()
    yield site
    structlog.reset_defaults()


def flip(path: Path) -> None:
    """One bit rots: neither size nor times change."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_all_is_well(swept: Site, capsys: pytest.CaptureFixture[str]):
    assert swept.run("verify") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("2 replacements examined, ")
    assert err.endswith("; 0 damaged, 0 other findings\n")


def test_rot_in_a_variant_is_damage_with_and_without_its_mark(swept: Site):
    flip(swept.path("gate/1.jpg"))
    flip(swept.path("gate/2.jpg"))
    os.removexattr(swept.path("gate/2.jpg"), "user.framekeep")
    assert swept.kinds() == [("gate/1.jpg", Kind.CHANGED), ("gate/2.jpg", Kind.CHANGED)]
    assert swept.run("verify") == 14


def test_a_cameras_new_file_is_no_damage(swept: Site, capsys: pytest.CaptureFixture[str]):
    swept.path("gate/new").write_bytes(photograph(3))
    swept.path("gate/new").rename(swept.path("gate/1.jpg"))
    swept.path("gate/2.jpg").unlink()
    swept.path("gate/2.jpg").symlink_to("1.jpg")
    assert swept.kinds() == [("gate/1.jpg", Kind.FOREIGN), ("gate/2.jpg", Kind.FOREIGN)]
    assert swept.run("verify") == 0
    assert "the next rescan or sweep decides about it" in capsys.readouterr().out


def test_a_later_decision_ends_the_promise_of_the_path_but_not_of_the_vault(swept: Site):
    original = swept.original("gate/1.jpg")
    swept.path("gate/new").write_text("no picture")
    swept.path("gate/new").rename(swept.path("gate/1.jpg"))
    swept.sweep()
    assert swept.kinds() == []
    original.unlink()
    assert swept.kinds()[0] == ("gate/1.jpg", Kind.ORIGINAL_MISSING)


def test_a_deleted_picture_is_told(swept: Site, capsys: pytest.CaptureFixture[str]):
    swept.path("gate/1.jpg").unlink()
    assert swept.run("verify") == 0
    assert "1.jpg missing: somebody deleted or moved it" in capsys.readouterr().out


def test_what_the_vault_lost_is_damage(swept: Site):
    swept.original("gate/1.jpg").unlink()
    flip(swept.original("gate/2.jpg"))
    kinds = swept.kinds()
    assert kinds[:2] == [("gate/1.jpg", Kind.ORIGINAL_MISSING), ("gate/2.jpg", Kind.ORIGINAL_CHANGED)]
    assert [kind for _, kind in kinds[2:]] == [Kind.LONE_SIDECAR]


def test_what_belongs_to_nothing_is_told(swept: Site):
    (swept.own / "vault" / ("0" * 32)).write_bytes(photograph(9))
    (swept.own / "vault" / ("1" * 32 + ".json")).write_text("{}")
    (swept.own / "strangers" / "odd").touch()
    assert sorted((path.rpartition("/")[2], kind.word) for path, kind in swept.kinds()) == [
        ("0" * 32, "orphan"),
        ("1" * 32 + ".json", "lone_sidecar"),
        ("odd", "stranger"),
    ]
    assert swept.run("verify") == 0


def test_labels_are_compared_with_the_original(swept: Site):
    assert swept.found(LabelCheck(Steadfast()))[1].labels_hold == 2
    assert swept.kinds(LabelCheck(Wavering())) == [
        ("gate/1.jpg", Kind.LABEL_LOST),
        ("gate/2.jpg", Kind.LABEL_LOST),
    ]


@pytest.mark.parametrize(("cat", "kinds"), [(0.9, []), (0.1, [Kind.LABEL_LOST]), (0.49999, [])])
def test_labels_are_compared_with_the_ledgers_word_where_the_original_is_released(
    cat: float, kinds: list[Kind], swept: Site
):
    swept.configure(vault={"days": 0})
    swept.path("gate/3.jpg").write_bytes(photograph(3))
    swept.sweep()
    assert swept.run("release") == 0
    findings, _ = swept.found(LabelCheck(Steadfast(cat)))
    assert [finding.kind for finding in findings if finding.place.path == "gate/3.jpg"] == kinds


def test_another_models_decisions_cannot_be_compared(swept: Site):
    another = Wavering()
    another.digest = "01"
    findings, verified = swept.found(LabelCheck(another))
    assert (findings, verified.labels_unknown) == ([], 2)


def test_json_is_one_document_of_the_schema(swept: Site, capsys: pytest.CaptureFixture[str]):
    swept.path("gate/1.jpg").unlink()
    flip(swept.path("gate/2.jpg"))
    assert swept.run("verify", "--json") == 14
    out, err = capsys.readouterr()
    told = json.loads(out)
    Draft202012Validator(SCHEMA).validate(told)
    assert (told["examined"], told["damaged"], told["labels"]) == (2, 1, None)
    assert [
        (one["path"], one["kind"], one["damage"]) for one in sorted(told["findings"], key=lambda one: one["path"])
    ] == [
        ("gate/1.jpg", "missing", False),
        ("gate/2.jpg", "changed", True),
    ]
    assert "framekeep: 1 changed: the bytes that framekeep wrote are other ones now: move the file away" in err


def test_the_schema_knows_every_kind():
    known = SCHEMA["$defs"]["finding"]["properties"]["kind"]["enum"]
    assert sorted(known) == sorted(kind.word for kind in Kind)


def test_only_what_is_named_is_verified(swept: Site, capsys: pytest.CaptureFixture[str]):
    swept.path("gate/2.jpg").unlink()
    assert swept.run("verify", swept.path("gate/1.jpg"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    assert swept.run("verify", swept.path("gate"), "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1
    assert swept.run("verify", swept.path("gat")) == 2
    assert "nothing was verified" in capsys.readouterr().err


@pytest.mark.parametrize("sample", ["0%", "101%", "some"])
def test_a_sample_that_is_no_share_is_refused(sample: str, swept: Site):
    assert swept.run("verify", "--sample", sample) == 2


def test_a_path_that_only_the_ledger_knows_is_verified(swept: Site):
    swept.path("gate/1.jpg").unlink()
    assert swept.run("verify", swept.path("gate/1.jpg")) == 0


def test_a_pace_waits_for_what_was_read_and_can_end_it(swept: Site):
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise InterruptedError

    pace = Pace(1000.0)
    with pytest.raises(InterruptedError):
        swept.found(paced=lambda size: wait(pace.delay(size)))
    size = swept.original("gate/1.jpg").stat().st_size
    assert waits[0] == pytest.approx(size / 1000, abs=1)
    assert waits[0] < waits[1] < waits[2]


def test_verify_changes_nothing_and_needs_no_lock(swept: Site):
    with opened(swept.config, Steadfast()):
        before = sorted((path, path.lstat().st_mtime_ns) for path in swept.path("").rglob("*"))
        assert swept.run("verify") == 0
        assert sorted((path, path.lstat().st_mtime_ns) for path in swept.path("").rglob("*")) == before
