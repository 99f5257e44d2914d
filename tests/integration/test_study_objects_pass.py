"""The study of objects over real pictures: the same as the heart decides, and what its command tells."""

import importlib.util
import io
import json
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image

from cli.main import run
from cli.study_objects import _check_classes
from framekeep.errors import UsageError
from framekeep.evidence import Detections, Evidence, Prediction
from framekeep.explaining import Rule as HeartsRule
from framekeep.explaining import explain
from framekeep.jpeg.codec import decode, encode
from framekeep.jpeg.source import understand
from framekeep.jpeg.squeeze import squeeze_apart
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import Rung, parse_ladder
from framekeep.models.base import Prepared
from framekeep.models.both import Both
from framekeep.models.detectors.catalogue import PEDESTRIAN_PACKAGE
from framekeep.reasons import Kept
from study.objects.document import document
from study.objects.figures import overall
from study.objects.looking import Compared, compare, sampled
from study.objects.rules import Bounds, Keeping, rules_of
from study.passing.counting import ENCODER, LIMITS

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/study_objects.json").read_text())
BOUNDS = Bounds(parse_ladder("paper"), ObjectRule())

needs_pedestrian = pytest.mark.skipif(
    importlib.util.find_spec(PEDESTRIAN_PACKAGE.module) is None, reason="pedestrian_ssdlite is absent: make detector"
)


class Looker:
    """Sees how much a pattern is smeared: the detector's score falls with it, the classifier's labels turn with it."""

    digest, transform, device = "00", "grey", "cpu"

    def __init__(self, name: str, *class_names: str):
        self.name, self.class_names = name, class_names

    def prepare(self, image: Image.Image) -> Prepared:
        return np.asarray(image.convert("L"), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        sharpness = [float(np.abs(np.diff(pixels, axis=1)).mean()) / 26 for pixels in batch]
        return [self._evidence(min(sharp, 0.95), pixels.shape) for sharp, pixels in zip(sharpness, batch, strict=True)]

    def _evidence(self, sharp: float, shape: tuple[int, int]) -> Evidence:
        if len(self.class_names) > 1:
            likely = np.exp(np.cos(np.arange(1, len(self.class_names) + 1) * sharp * 9))
            return Evidence(Prediction((likely / likely.sum()).astype(np.float32)))
        box = np.array([(0, 0, shape[1], shape[0])], np.float32)
        return Evidence(detections=Detections(self.class_names, np.array([sharp], np.float32), box))


MODELS = Both(Looker("labels", *"abcdefgh"), Looker("finder", "pattern"))


def picture(seed: int, spread: float, quality: int = 95) -> bytes:
    """Noise; the more it is spread, the sharper it looks."""
    noise = np.random.default_rng(seed).normal(128, spread, (64, 96, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cameras; one picture is as small as its QF 10 already, and one is none."""
    data = {f"gate/{k}.jpg": picture(k, 16 + 3 * k) for k in range(3)}
    data |= {"yard/1.jpg": picture(9, 20), "yard/small.jpg": encode(decode(picture(8, 16)), Rung(10), "4:2:0")}
    for path, content in (data | {"yard/none.jpg": b"no picture"}).items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_bytes(content)
    return tmp_path / "in"


def passed(folder: Path, bounds: Bounds = BOUNDS) -> Compared:
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    return compare(sampled(folder, paths, None), MODELS, bounds, 2, lambda _done: None)


def decided(data: bytes, squeezed: bytes | None, rule: Keeping) -> int:
    """Bytes after, as `framekeep explain` computes them."""
    wanted = HeartsRule(rule.keeper, BOUNDS.ladder, ENCODER, min_saving=0.01)
    outcome = explain(understand(data, LIMITS), squeezed, wanted, MODELS).outcome
    return len(data) if isinstance(outcome, Kept) else len(outcome.data)


def test_every_keeper_writes_what_the_heart_decides(folder: Path) -> None:
    compared = passed(folder)
    every = overall(compared.cameras)
    originals = [path.read_bytes() for path in folder.rglob("*.jpg") if path.name != "none.jpg"]
    assert {name: figures.before for name, figures in every.items()} == dict.fromkeys(every, sum(map(len, originals)))
    keepers = [rule for rule in rules_of(BOUNDS) if isinstance(rule, Keeping)]
    squeezed = {data: squeeze_apart(data) for data in originals}
    after = {rule.name: sum(decided(*pair, rule) for pair in squeezed.items()) for rule in keepers}
    assert {name: every[name].after for name in after} == after
    assert len(set(after.values())) > 3  # else the pictures could not tell one keeper from another


def test_keepers_keep_what_a_constant_quality_loses(folder: Path) -> None:
    every = overall(passed(folder).cameras)
    assert [every[name].either for name in ("objects", "t1k,objects at 0.3")] == [0, 0]
    assert [every[name].top1 for name in ("t1k", "ttk")] == [0, 0]
    assert every["QF 10"].lost > 0
    assert every["QF 10"].top1 > 0


def test_what_was_seen_is_told_by_camera(folder: Path) -> None:
    compared = passed(folder)
    assert {camera: figures["objects"].pictures for camera, figures in compared.cameras.items()} == {
        "gate": 3,
        "yard": 2,
    }
    assert list(compared.left_out) == ["yard/none.jpg"]
    told = document(compared)
    jsonschema.validate(told, SCHEMA)
    assert str(folder) not in json.dumps(told)
    assert [rule["quality"] for rule in told["rules"] if rule["keeper"] is None] == list(range(90, 9, -10))


def test_plain_sizes_are_those_of_plain_encodings(folder: Path) -> None:
    every = overall(passed(folder, Bounds(BOUNDS.ladder, BOUNDS.objects, counting="paper")).cameras)
    originals = [path.read_bytes() for path in folder.rglob("*.jpg") if path.name != "none.jpg"]
    assert every["QF 90"].after == sum(len(encode(decode(data), Rung(90), "4:2:0")) for data in originals)


def test_a_folder_without_a_usable_picture_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(UsageError, match="could be looked at"):
        passed(tmp_path)


@needs_pedestrian
def test_the_command_tells_it_all(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    command = ["study", "objects", str(folder), "--ladder", "50,10", "--limit", "3", "--plot", f"{tmp_path}/plot.png"]
    assert run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, SCHEMA)
    assert told["sample"] == {"pictures": 3, "of": 6, "seed": 2021}
    assert told["detector"]["digest"] == PEDESTRIAN_PACKAGE.sha256
    with Image.open(tmp_path / "plot.png") as plot:
        assert plot.width > 600


def test_an_unknown_class_is_told_of() -> None:
    with pytest.raises(UsageError, match="knows no 'car'; it knows pattern"):
        _check_classes(("pattern", "car"), MODELS.detector)


@pytest.fixture
def without_oid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("framekeep.models.detectors.weights.OID_FILE", tmp_path / "gone.tflite")


@pytest.mark.usefixtures("without_oid")
@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--detector", "pedestrians"], 12, "did you mean pedestrian_ssdlite"),
        (["--detector", "oid_ssd"], 12, "make detector-oid"),
        (["--slack", "0.5"], 2, "should be smaller than min_score"),
        (["--slack", "0.4"], 2, "at least 0.2"),
        (["--config", "gone.toml"], 10, "gone.toml does not exist"),
        (["--config", "gone.toml", "--detector-weights", "x.pb"], 2, "leave --detector and --detector-weights out"),
        (["--ladder", "good"], 2, "neither a ladder"),
        (["--plot", "plot.bmp"], 2, "end its name in .png or .svg"),
        (["--plot", "gone/plot.png"], 2, "its folder is not there"),
        (["--json", "--markdown"], 2, "exclude each other"),
    ],
)
def test_what_stands_in_the_way_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, sentence: str
) -> None:
    assert run(["study", "objects", str(folder), *options]) == code
    assert sentence in capsys.readouterr().err
