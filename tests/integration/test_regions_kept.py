"""Regions in a whole sweep: with a fake detector, which finds the same two things in every picture."""

import io
import json
import sqlite3
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from cli.picture import write_picture
from daemon.explaining import explain_place
from daemon.findings import Kind, Verified
from daemon.rules import limits_of
from daemon.sweep import targets_of
from daemon.verifying import Scope, verify
from framekeep.evidence import Detections, Evidence
from framekeep.models.base import Prepared
from framekeep.reasons import Reason
from storage.ledger.opening import open_reader
from storage.records import Place


class Watchful:
    """Surely sees a person, and doubts that there is a bag."""

    name, digest, device, class_names, transform = "watchful", "aa", "cpu", ("person", "bag"), "size"

    def prepare(self, image: Image.Image) -> Prepared:
        return np.array(image.size, dtype=np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        boxes = np.array([[20, 20, 50, 70], [80, 40, 100, 60]], np.float32)
        return [Evidence(detections=Detections(("person", "bag"), np.array([0.8, 0.45], np.float32), boxes))] * len(
            batch
        )


@pytest.fixture
def gate(site, photograph):
    """One picture of a camera whose objects stay as they were delivered."""
    site.configure(selection={"keeper": "objects"}, detection={"regions": "exact"}, vault={"floor_megabytes": 0})
    site.originals["gate/1.jpg"] = photograph(1)
    site.add("gate/1.jpg", photograph(1))
    return site


def pixels(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def found(site) -> list[Kind]:
    with open_reader(site.config.ledger.url) as reader:
        scope = Scope(targets_of(site.config, []), limits_of(site.config))
        return [finding.kind for finding in verify(reader, scope, Verified())]


@pytest.mark.parametrize("progressive", [True, False])
def test_sure_and_doubtful_objects_keep_their_pixels_and_the_rest_shrinks(progressive: bool, gate):
    gate.configure(
        selection={"keeper": "objects"},
        detection={"regions": "exact"},
        encoder={"progressive": progressive},
        vault={"floor_megabytes": 0},
    )
    gate.sweep(Watchful())
    (decision,) = gate.decisions()
    assert (decision.rung, decision.quality, decision.reason) == ("exact+q10", 10, Reason.QUALIFIED)
    before, after = gate.originals["gate/1.jpg"], gate.path("gate/1.jpg").read_bytes()
    assert len(after) < 0.6 * len(before)
    for box in ((18, 17, 52, 73), (79, 39, 101, 61)):
        assert pixels(before).crop(box).tobytes() == pixels(after).crop(box).tobytes()
    assert pixels(before).tobytes() != pixels(after).tobytes()


def test_the_ledger_keeps_the_regions_and_a_verification_proves_them(gate, capsys: pytest.CaptureFixture[str]):
    gate.sweep(Watchful())
    assert gate.run("custody", gate.path("gate/1.jpg"), "--json") == 0
    (event,) = json.loads(capsys.readouterr().out)["events"]
    assert [region[:2] for region in event["regions"]] == [["person", 0.8], ["bag", 0.45]]
    assert event["region_rule"]["regions"] == "exact"
    assert found(gate) == []
    regions = json.dumps([[*event["regions"][0][:6], "0" * 32], event["regions"][1]])
    with sqlite3.connect(gate.ledger) as ledger:
        ledger.execute("UPDATE decision SET regions = ?", (regions,))
    assert found(gate) == [Kind.REGION_CHANGED]


def test_a_restored_picture_is_the_cameras(gate):
    gate.sweep(Watchful())
    assert gate.run("restore", gate.path("gate/1.jpg")) == 0
    assert gate.restored() == {"gate/1.jpg"}


def test_what_cannot_be_coded_apart_is_shrunk_as_a_whole_and_says_why(gate, photograph):
    gate.add("gate/1.jpg", photograph(1, keep_rgb=True, subsampling="4:4:4"))
    place = Place(str(gate.root), "gate/1.jpg")
    explanation = explain_place(gate.config, Watchful(), place).explanation
    assert explanation.note == "its colours are not coded as YCbCr"
    gate.sweep(Watchful())
    (decision,) = gate.decisions()
    assert (decision.rung, decision.reason) == ("q10", Reason.WHOLE_FRAME)
    assert decision.note == "its colours are not coded as YCbCr"
    assert (explanation.outcome.rung.name, explanation.outcome.reason) == (decision.rung, decision.reason)


def test_cameras_differ_and_a_changed_rule_is_a_changed_setting(site, photograph):
    policies = [{"match": "yard/", "regions": 60}, {"match": "hall/", "regions": "off"}]
    for detection in ({"regions": "exact"}, {"regions": "exact", "regions_margin": 0.2}):
        site.configure(
            selection={"keeper": "objects"}, detection=detection, policy=policies, vault={"floor_megabytes": 0}
        )
        for camera in ("gate", "yard", "hall"):
            site.add(f"{camera}/{detection.get('regions_margin', 0)}.jpg", photograph(len(camera)))
        site.sweep(Watchful())
    rungs = {decision.place.path: decision.rung for decision in site.decisions()}
    assert rungs == {
        path: rung
        for margin in ("0", "0.2")
        for path, rung in (
            (f"gate/{margin}.jpg", "exact+q10"),
            (f"yard/{margin}.jpg", "q60+q10"),
            (f"hall/{margin}.jpg", "q10"),
        )
    }


def test_an_explanation_draws_and_tells_what_is_protected(gate, tmp_path, capsys: pytest.CaptureFixture[str]):
    answer = explain_place(gate.config, Watchful(), Place(str(gate.root), "gate/1.jpg"))
    assert [region.label for region in answer.explanation.regions] == ["person", "bag"]
    write_picture(tmp_path / "plain.png", answer, Watchful.class_names)
    with Image.open(tmp_path / "plain.png") as drawn:
        colours = {colour for _, colour in drawn.getcolors(1 << 24)}
    assert (0x1A, 0x73, 0xE8) in colours


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"regions": "exact"}, 'detection.regions = exact: this is for the keeper "objects", which nothing here has'),
        ({"regions": 95}, 'detection.regions = 95: should be "off", "exact", or a quality factor from 10 to 90'),
        ({"regions": "exact", "regions_min_score": 0.6}, "what must be kept has to be protected too"),
        ({"regions": 10}, "detection.regions = 10 leaves no lower quality in the ladder paper for a background"),
    ],
)
def test_nonsense_is_refused(section: dict, told: str, site, capsys: pytest.CaptureFixture[str]):
    site.configure(detection=section)
    assert site.run("config", "check") == 10
    assert told in capsys.readouterr().err


def test_a_policy_s_regions_need_its_keeper(site, capsys: pytest.CaptureFixture[str]):
    site.configure(policy=[{"match": "gate/", "regions": 60}], selection={"keeper": "t1k"})
    assert site.run("config", "check") == 10
    assert "policy.#1.regions = 60: this is for the keeper" in capsys.readouterr().err
