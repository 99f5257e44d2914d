"""The keeper of objects in a whole sweep: with a fake detector, which really looks at the pixels."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageDraw

from cli.explain import document, show_explained
from cli.picture import FOUND, LOST, write_picture
from daemon.explaining import explain_place
from daemon.findings import Kind, Verified
from daemon.labels import LabelCheck
from daemon.models import check_classes
from daemon.rules import limits_of
from daemon.sweep import targets_of
from daemon.verifying import Scope, verify
from framekeep.errors import ConfigurationError, ModelUnavailableError, UsageError
from framekeep.evidence import Detections, Evidence
from framekeep.models.base import Prepared
from framekeep.models.both import Both
from storage.ledger.opening import open_reader
from storage.records import Place


class SquareFinder:
    """Finds the bright square of a picture, the less surely the more its inside is smeared; `blind`: nothing."""

    name, device, class_names, transform = "squares", "cpu", ("square",), "grey"

    def __init__(self, digest: str = "aa", *, blind: bool = False):
        self.digest, self.blind = digest, blind

    def prepare(self, image: Image.Image) -> Prepared:
        return np.asarray(image.convert("L"), dtype=np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        return [Evidence(detections=self._found(pixels)) for pixels in batch]

    def _found(self, pixels: Prepared) -> Detections:
        rows, columns = np.nonzero(pixels > 215)
        if self.blind or len(rows) < 100:
            return Detections((), np.zeros(0, np.float32), np.zeros((0, 4), np.float32))
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        inside = pixels[box[1] + 4 : box[3] - 4, box[0] + 4 : box[2] - 4]
        score = np.clip(np.abs(np.diff(inside, axis=1)).mean() / 20, 0, 0.95)  # a fine pattern, which coding smears
        return Detections(("square",), np.array([score], np.float32), np.array([box], np.float32))


def drawn(seed: int, *, square: bool) -> bytes:
    noise = np.random.default_rng(seed).normal(110, 12, (96, 128, 3)).clip(0, 200).astype(np.uint8)
    image = Image.fromarray(noise)
    if square:
        ImageDraw.Draw(image).rectangle((40, 30, 79, 69), fill="white")
        stripes = np.asarray(image).copy()
        stripes[30:70, 40:80:2] = 228
        image = Image.fromarray(stripes)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def yard(site):
    """A camera that saw a square, and one that saw nothing."""
    site.configure(selection={"keeper": "objects"}, vault={"floor_megabytes": 0})
    site.add("gate/1.jpg", drawn(1, square=True))
    site.add("yard/2.jpg", drawn(2, square=False))
    return site


def rungs(site) -> dict[str, str | None]:
    return {decision.place.path: decision.rung for decision in site.decisions()}


def test_each_picture_is_as_small_as_its_objects_allow(yard):
    yard.sweep(SquareFinder())
    chosen = rungs(yard)
    assert chosen["yard/2.jpg"] == "q10"
    assert chosen["gate/1.jpg"] not in ("q10", None)
    finder = SquareFinder()
    (before, after) = finder.look(
        [
            finder.prepare(Image.open(io.BytesIO(data)))
            for data in (drawn(1, square=True), yard.path("gate/1.jpg").read_bytes())
        ]
    )
    assert before.detections.scores[0] > 0.5
    assert after.detections.scores[0] >= 0.4


def test_the_ledger_holds_what_was_seen_before_and_after(yard, capsys: pytest.CaptureFixture[str]):
    yard.sweep(SquareFinder())
    (decision,) = yard.decisions("gate/1.jpg")
    before, after = json.loads(decision.evidence_before), json.loads(decision.evidence_after)
    assert before["objects"][0][0] == "square"
    assert len(before["objects"][0]) == 6
    assert len(after["objects"] + after["fainter"]) == 1
    assert (decision.model, decision.model_digest, decision.label) == ("squares", "aa", None)
    assert json.loads(decision.objects)["slack"] == 0.1
    assert yard.run("decisions", "--json", "--path", "gate/1.jpg") == 0
    assert json.loads(capsys.readouterr().out)["objects"] == {"square": 1}
    assert yard.run("custody", yard.path("gate/1.jpg")) == 0
    assert "square" in capsys.readouterr().out
    assert yard.run("custody", yard.path("gate/1.jpg"), "--json") == 0
    (event,) = json.loads(capsys.readouterr().out)["events"]
    assert (event["object_rule"], "objects" in event) == (json.loads(decision.objects), False)


def test_kept_objects_are_reported_by_class_and_camera(yard, capsys: pytest.CaptureFixture[str]):
    yard.add("gate/3.jpg", drawn(3, square=True))
    yard.sweep(SquareFinder())
    assert yard.run("report", "--by", "class", "--json") == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert groups == [{"key": "square", "camera": "gate", "pictures": 2, "objects": 2}]
    assert yard.run("restore", yard.path("gate/3.jpg")) == 0
    capsys.readouterr()
    assert yard.run("report", "--by", "class", "--csv") == 0
    assert capsys.readouterr().out.splitlines() == ["class,camera,pictures,objects", "square,gate,2,2"]
    assert yard.run("report", "--by", "class") == 0
    assert "square" in capsys.readouterr().out


def test_a_picture_with_objects_keeps_the_configured_quality(yard):
    yard.configure(
        selection={"keeper": "objects"},
        detection={"min_score": 0.3, "slack": 0.1, "lost_only": True, "quality_when_found": 60},
        vault={"floor_megabytes": 0},
    )
    yard.sweep(SquareFinder())
    told = {one.place.path: (one.rung, one.reason.word) for one in yard.decisions()}
    assert told == {"gate/1.jpg": ("q60", "objects_found"), "yard/2.jpg": ("q10", "qualified")}


def test_labels_and_objects_are_kept_together(yard, steadfast):
    yard.configure(selection={"keeper": ["t1k", "objects"]}, vault={"floor_megabytes": 0})
    yard.sweep(Both(steadfast(), SquareFinder()))
    (decision,) = yard.decisions("gate/1.jpg")
    assert (decision.model, decision.model_digest) == ("steadfast+squares", "00+aa")
    assert (decision.keeper, decision.label) == ("t1k,objects", "cat")
    assert set(json.loads(decision.evidence_before)) == {"labels", "objects", "fainter"}
    with pytest.raises(ModelUnavailableError, match="squares is not the one"):
        yard.sweep(Both(steadfast(), SquareFinder("bb")))
    with pytest.raises(ModelUnavailableError, match="steadfast is not the one"):
        yard.sweep(Both(steadfast("01"), SquareFinder()))


def test_each_camera_is_looked_at_by_the_models_that_it_needs(yard, steadfast):
    yard.configure(policy=[{"match": "gate/**", "keeper": "objects"}], vault={"floor_megabytes": 0})
    yard.sweep(Both(steadfast(), SquareFinder()))
    models = {decision.place.path: (decision.keeper, decision.model) for decision in yard.decisions()}
    assert models == {"gate/1.jpg": ("objects", "squares"), "yard/2.jpg": ("t1k", "steadfast")}


@pytest.mark.parametrize("released", [False, True])
def test_a_verification_looks_for_the_objects_again(released: bool, yard):
    yard.configure(selection={"keeper": "objects"}, vault={"floor_megabytes": 0, "days": 0 if released else 7})
    yard.sweep(SquareFinder())
    assert yard.run("release") == 0
    assert len(yard.in_vault()) == (0 if released else 4)

    def found(model: SquareFinder) -> list[tuple[str, Kind, str]]:
        scope = Scope(targets_of(yard.config, []), limits_of(yard.config), labels=LabelCheck(model))
        with open_reader(yard.config.ledger.url) as reader:
            return [(one.place.path, one.kind, one.note) for one in verify(reader, scope, Verified())]

    assert found(SquareFinder()) == []
    lost = [("gate/1.jpg", Kind.LABEL_LOST, "lost 1 square")] if released else []
    assert found(SquareFinder(blind=True)) == lost


def test_a_class_that_the_detector_does_not_know_is_refused(yard):
    yard.configure(detection={"classes": ["square", "unicorn"]})
    with pytest.raises(ConfigurationError, match="knows no 'unicorn'; it knows square"):
        check_classes(yard.config, SquareFinder())


def test_a_missing_detector_stops_at_the_start(yard, capsys: pytest.CaptureFixture[str]):
    before = yard.path("gate/1.jpg").read_bytes()
    yard.configure(selection={"keeper": "objects"}, detection={"model": "oid_ssd", "weights": "nowhere.tflite"})
    assert yard.run("sweep") == 12
    assert "nowhere.tflite" in capsys.readouterr().err
    assert yard.path("gate/1.jpg").read_bytes() == before


def test_an_explanation_tells_what_each_rung_loses_and_draws_it(
    yard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    finder = SquareFinder()
    answer = explain_place(yard.config, finder, Place(str(yard.root), "gate/1.jpg"))
    told = document(answer, finder.class_names)
    assert [one["label"] for one in told["original"]["detections"]] == ["square"]
    worst, best = told["variants"][-1], told["variants"][1]
    assert (worst["rung"], worst["qualifies"], [one["label"] for one in worst["lost"]]) == ("q10", False, ["square"])
    assert (best["rung"], best["qualifies"], best["lost"], best["new"]) == ("q90", True, [], [])
    show_explained(answer, finder.class_names)
    assert "no: lost 1 square" in capsys.readouterr().out
    write_picture(tmp_path / "told.png", answer, finder.class_names)
    with Image.open(tmp_path / "told.png") as drawing:
        colours = {colour for _, colour in drawing.convert("RGB").getcolors(1 << 24)}
    assert ImageColor.getrgb(FOUND) in colours
    assert ImageColor.getrgb(LOST) in colours


@pytest.mark.parametrize("name", ["told.gif", "told", "told.jpg.exe"])
def test_only_names_of_pictures_are_drawn_to(name: str, yard, capsys: pytest.CaptureFixture[str]):
    assert yard.run("explain", yard.path("gate/1.jpg"), "--picture", name) == 2
    assert "end its name in .png" in capsys.readouterr().err


def test_nothing_is_drawn_where_the_model_saw_nothing(yard, tmp_path: Path):
    yard.add("gate/0.jpg", b"no picture")
    answer = explain_place(yard.config, SquareFinder(), Place(str(yard.root), "gate/0.jpg"))
    with pytest.raises(UsageError, match="nothing to draw"):
        write_picture(tmp_path / "told.png", answer, ("square",))
