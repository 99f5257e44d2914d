"""Files of one's own: a real network, made here, which sees how red the quarters of a picture are."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops
from PIL import Image

from framekeep.errors import ModelUnavailableError
from framekeep.evidence import Detections
from framekeep.models.base import Model
from framekeep.models.detectors.catalogue import DetectorChoice
from framekeep.models.detectors.conventions import Conventions, InputConventions, OutputConventions
from framekeep.models.detectors.listing import detector_listing
from framekeep.models.detectors.opening import open_detector
from framekeep.reasons import Kept

QUARTERS = np.array([[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]])
ORDERS = {
    "ltrb": QUARTERS,
    "tlbr": QUARTERS[:, [1, 0, 3, 2]],
    "cxcywh": np.concatenate([(QUARTERS[:, :2] + QUARTERS[:, 2:]) / 2, QUARTERS[:, 2:] - QUARTERS[:, :2]], axis=1),
}
SIZE = (128, 96)
RED, BLUE = (255, 0, 0), (0, 0, 255)


@dataclass(frozen=True)
class Made:
    """How the network is made: what its owner has to declare. It brings its pixels to 0 to 1 by itself."""

    order: str = "ltrb"
    scale: tuple[float, float] = (1, 1)
    offset: int = 0
    layout: str = "nchw"
    channel: int = 0
    values: str = "0..1"
    mean: tuple[float, float, float] = (0, 0, 0)
    std: tuple[float, float, float] = (1, 1, 1)
    kind: Any = np.float32

    def save(self, path: Path) -> None:
        shape = [1, 3, 64, 64] if self.layout == "nchw" else [1, 64, 64, 3]
        pixels = ops.parameter(shape, self.kind, name="pixels")
        planes = ops.convert(pixels, np.float32)
        if self.layout == "nhwc":
            planes = ops.transpose(planes, np.array([0, 3, 1, 2]))
        planes = ops.add(ops.multiply(planes, f32(self.std, (1, 3, 1, 1))), f32(self.mean, (1, 3, 1, 1)))
        slope, start = {"0..255": (1 / 255, 0), "0..1": (1, 0), "-1..1": (0.5, 0.5)}[self.values]
        planes = ops.add(ops.multiply(planes, f32(slope)), f32(start))
        wanted = ops.gather(planes, np.array([self.channel]), np.array(1))
        means = ops.avg_pool(wanted, [32, 32], [0, 0], [0, 0], [32, 32], exclude_pad=True)
        scores = ops.reshape(means, np.array([1, 4]), special_zero=False)
        zeros = ops.multiply(scores, f32(0))
        boxes = ORDERS[self.order] * np.tile(self.scale, 2)
        outputs = {
            "scores": scores,
            "boxes": ops.add(ops.reshape(zeros, np.array([1, 4, 1]), special_zero=False), f32(boxes, (1, 4, 4))),
            "classes": ops.add(zeros, f32([self.offset, self.offset + 1, self.offset, self.offset], (1, 4))),
            "logs": ops.log(ops.reduce_max(planes, np.array([1, 2, 3]))),
        }
        for name, output in outputs.items():
            output.output(0).set_names({name})
        openvino.save_model(openvino.Model(list(outputs.values()), [pixels]), path, compress_to_fp16=False)


def f32(values: Any, shape: tuple[int, ...] = ()) -> Any:
    return ops.constant(np.array(values, np.float32).reshape(shape))


OUTPUT = OutputConventions("boxes", "scores", "classes")
INPUT = InputConventions("nchw", values="0..1", resize=(64, 64))


@pytest.fixture
def choice(tmp_path: Path, names: Path) -> DetectorChoice:
    Made().save(tmp_path / "yard.xml")
    return DetectorChoice("yard", tmp_path / "yard.xml", None, names, Conventions(OUTPUT, INPUT))


def picture(quarter: int = 1, colour: tuple[int, int, int] = RED, size: tuple[int, int] = SIZE) -> Image.Image:
    """One quarter in the colour; all else is nearly black."""
    whole = Image.new("RGB", size, (1, 1, 1))
    left, top = (quarter % 2) * size[0] // 2, (quarter // 2) * size[1] // 2
    whole.paste(colour, (left, top, left + size[0] // 2, top + size[1] // 2))
    return whole


def seen(model: Model, *pictures: Image.Image) -> list[Detections]:
    found = model.look([model.prepare(one) for one in pictures])
    assert all(evidence.prediction is None for evidence in found)
    return [evidence.detections for evidence in found if evidence.detections is not None]


def refusal(choice: DetectorChoice) -> str:
    with pytest.raises(ModelUnavailableError) as refused:
        open_detector(choice, "cpu", 2)
    assert "\n" not in str(refused.value)
    return str(refused.value)


DECLARED = {
    "plain": (Made(), {}, {}),
    "top first": (Made(order="tlbr"), {"box_order": "tlbr"}, {}),
    "centre": (Made(order="cxcywh"), {"box_order": "cxcywh"}, {}),
    "the input's pixels": (Made(scale=(64, 64)), {"box_scale": "input"}, {}),
    "the picture's pixels": (Made(scale=SIZE), {"box_scale": "picture"}, {}),
    "background first": (Made(offset=1), {"class_offset": 1}, {}),
    "channels last": (Made(layout="nhwc"), {}, {"layout": "nhwc"}),
    "blue first": (Made(channel=2), {}, {"channels": "bgr"}),
    "bytes": (Made(values="0..255"), {}, {"values": "0..255"}),
    "whole numbers": (Made(values="0..255", kind=np.uint8), {}, {"values": "0..255"}),
    "signed": (Made(values="-1..1"), {}, {"values": "-1..1"}),
    "normalised": (
        Made(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)),
        {},
        {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.4)},
    ),
    "by number": (Made(), {"boxes": 1, "scores": 0, "classes": 2}, {}),
}


@pytest.mark.parametrize("kind", DECLARED)
def test_what_is_declared_is_what_is_seen(kind: str, tmp_path: Path, choice: DetectorChoice):
    made, output, wanted = DECLARED[kind]
    made.save(tmp_path / "yard.xml")
    conventions = Conventions(replace(OUTPUT, **output), replace(INPUT, **wanted))
    model = open_detector(replace(choice, conventions=conventions), "cpu", 2)
    (found,) = seen(model, picture())
    assert found.labels == ("gate",)
    pixels = np.asarray(picture().resize((64, 64), Image.Resampling.BILINEAR))
    assert found.scores[0] == pytest.approx(pixels[:32, 32:, 0].mean() / 255, abs=1e-5)
    np.testing.assert_allclose(found.boxes, [[64, 0, 128, 48]], atol=1e-3)


WRONG = {
    "output 'nothing'": (Made(), {"boxes": "nothing"}, {}),
    "output 4": (Made(), {"scores": 4}, {}),
    "declared as boxes has the shape (1,)": (Made(), {"boxes": "logs"}, {}),
    "declared as scores has 16 numbers for 4 boxes": (Made(), {"scores": "boxes"}, {}),
    "declared as classes has 1 numbers for 4 boxes": (Made(), {"classes": "logs"}, {}),
    "no whole number": (Made(), {"classes": "scores", "scores": "classes"}, {}),
    "its scores are": (Made(offset=1), {"scores": "classes"}, {}),
    "class_offset 0 and 2 class names make them 0 to 1": (Made(offset=1), {}, {}),
    'set box_scale to "input" or "picture"': (Made(scale=(64, 64)), {}, {}),
    'set box_scale to "unit"': (Made(), {"box_scale": "picture"}, {}),
    'is it "cxcywh"': (Made(order="cxcywh"), {}, {}),
    "outside the picture": (Made(scale=(640, 480)), {"box_scale": "input"}, {}),
    'layout is "nhwc"': (Made(), {}, {"layout": "nhwc"}),
    "its input is [64, 64] pixels wide and high: resize is not set": (Made(), {}, {"resize": None}),
    "resize is [32, 64]": (Made(), {}, {"resize": (32, 64)}),
    'values has to be "0..255"': (Made(values="0..255", kind=np.uint8), {}, {}),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_declared_wrongly_is_told(sentence: str, tmp_path: Path, choice: DetectorChoice):
    made, output, wanted = WRONG[sentence]
    made.save(tmp_path / "yard.xml")
    conventions = Conventions(replace(OUTPUT, **output), replace(INPUT, **wanted))
    told = refusal(replace(choice, conventions=conventions))
    assert sentence in told
    assert "yard" in told


def test_the_batch_and_its_order_do_not_matter(choice: DetectorChoice):
    model = open_detector(choice, "cpu", 3)
    pictures = [picture(k % 4, (255 - 20 * k, 0, 0), (64 + 10 * k, 50)) for k in range(7)]
    together, again = seen(model, *pictures), seen(model, *pictures)
    alone = [found for one in pictures for found in seen(model, one)]
    assert [found.labels for found in together] == [("gate",) if k % 4 == 1 else ("door",) for k in range(7)]
    for first, second, third in zip(together, again, alone, strict=True):
        np.testing.assert_array_equal(first.scores, second.scores)
        np.testing.assert_array_equal(first.boxes, second.boxes)
        np.testing.assert_array_equal(first.scores, third.scores)
        np.testing.assert_array_equal(first.boxes, third.boxes)
    assert model.look([]) == []


def test_every_mode_is_looked_at_as_rgb(choice: DetectorChoice):
    model = open_detector(choice, "cpu", 1)
    for mode in ("L", "RGBA", "P", "CMYK"):
        other = picture().convert(mode)
        np.testing.assert_array_equal(model.prepare(other).pixels, model.prepare(other.convert("RGB")).pixels)


def test_a_line_of_pixels_is_kept(choice: DetectorChoice):
    with pytest.raises(Kept, match="65500 by 1"):
        open_detector(choice, "cpu", 1).prepare(Image.new("L", (65500, 1)))


def test_an_answer_that_is_not_finite_is_no_detection(choice: DetectorChoice):
    model = open_detector(choice, "cpu", 1)
    with pytest.raises(FloatingPointError, match="yard"):
        seen(model, Image.new("RGB", SIZE))  # log of 0


def test_a_picture_that_the_network_cannot_take_spoils_nothing(choice: DetectorChoice):
    model = open_detector(choice, "cpu", 2)
    good = model.prepare(picture())
    with pytest.raises(RuntimeError):
        model.look([good, replace(good, pixels=good.pixels[:, :, :7]), good])
    assert [evidence.detections.labels for evidence in model.look([good]) if evidence.detections] == [("gate",)]


def test_the_record_says_what_looked(choice: DetectorChoice):
    model = open_detector(choice, "cuda", 1)
    assert (model.name, model.device, list(model.class_names)) == ("yard", "cpu (openvino)", ["door", "gate"])
    assert choice.weights is not None
    both = choice.weights.read_bytes() + choice.weights.with_suffix(".bin").read_bytes()
    assert model.digest == hashlib.sha256(both).hexdigest()
    other = replace(choice, conventions=Conventions(OUTPUT, replace(INPUT, mean=(0.1, 0, 0))))
    assert open_detector(other, "cpu", 1).transform != model.transform


def test_other_weights_behind_the_same_description_are_refused(choice: DetectorChoice):
    digest = open_detector(choice, "cpu", 1).digest
    pinned = replace(choice, weights_sha256=digest)
    assert open_detector(pinned, "cpu", 1).digest == digest
    assert choice.weights is not None
    numbers = choice.weights.with_suffix(".bin")
    numbers.write_bytes(numbers.read_bytes()[:-1] + b"!")
    assert "are not the ones that were asked for" in refusal(pinned)


def test_what_is_not_said_is_asked_for(choice: DetectorChoice):
    assert "set weights to its file" in refusal(replace(choice, weights=None))
    assert "set labels to a file" in refusal(replace(choice, class_names=None))
    assert "needs weights, labels and [detection.output]" in refusal(replace(choice, conventions=None))
    assert "did you mean oid_ssd" in refusal(DetectorChoice("oid_sdd"))


@pytest.mark.parametrize("suffix", ["onnx", "tflite", "pb", "xml", "weights"])
def test_a_file_of_something_else_is_refused(suffix: str, tmp_path: Path, choice: DetectorChoice):
    file = tmp_path / f"junk.{suffix}"
    file.write_bytes(b"GIF89a")
    file.with_suffix(".bin").write_bytes(b"")
    told = refusal(replace(choice, weights=file))
    assert f"OpenVINO cannot read {file} as a network" in told


def test_a_file_of_ones_own_is_listed(tmp_path: Path, choice: DetectorChoice):
    own, pedestrian, oid = detector_listing(choice)
    assert (own.name, own.kind, own.source, own.classes) == ("yard", "detector", f"file {choice.weights}", 2)
    assert (own.usable, own.why, own.digest) == (True, "", open_detector(choice, "cpu", 1).digest)
    assert (pedestrian.name, oid.name) == ("pedestrian_ssdlite", "oid_ssd")
    gone = detector_listing(replace(choice, weights=tmp_path / "gone.tflite"))[0]
    assert (gone.usable, "No such file" in gone.why) == (False, True)
    unknown = detector_listing(DetectorChoice("nobody"))[0]
    assert (unknown.source, unknown.usable) == ("unknown", False)
