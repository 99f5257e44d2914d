"""An ONNX file of one's own: read as it is, and configured, swept with, edited, reloaded and studied."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from cli.main import run
from daemon.house import opened
from daemon.service import read_anew
from framekeep.errors import ModelUnavailableError
from framekeep.models.detectors.catalogue import DetectorChoice
from framekeep.models.detectors.conventions import Conventions, InputConventions, OutputConventions
from framekeep.models.detectors.opening import open_detector

QUARTERS = np.array([[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]])
OUTPUT = OutputConventions("boxes", "scores", "classes")
INPUT = InputConventions("nchw", values="0..1", resize=(64, 64))


def picture(quarter: int) -> Image.Image:
    """One quarter is red; all else is nearly black."""
    whole = Image.new("RGB", (256, 192), (1, 1, 1))
    whole.paste((200, 0, 0), (quarter % 2 * 128, quarter // 2 * 96, quarter % 2 * 128 + 128, quarter // 2 * 96 + 96))
    return whole


def onnx_model(layout: str) -> onnx.ModelProto:
    """Its scores are the red in the quarters of a picture, of which the second is a gate and the others are doors."""
    make, floats = onnx.helper, onnx.TensorProto.FLOAT

    def constant(name: str, values: Any, kind: Any = np.float32) -> onnx.TensorProto:
        return onnx.numpy_helper.from_array(np.array(values, kind), name)

    shape = [1, 3, 64, 64] if layout == "nchw" else [1, 64, 64, 3]
    nodes = [
        make.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 1, 2, 3] if layout == "nchw" else [0, 3, 1, 2]),
        make.make_node("Gather", ["planes", "first"], ["red"], axis=1),
        make.make_node("AveragePool", ["red"], ["means"], kernel_shape=[32, 32], strides=[32, 32]),
        make.make_node("Reshape", ["means", "a row"], ["scores"]),
        make.make_node("Mul", ["scores", "nothing"], ["zeros"]),
        make.make_node("Add", ["zeros", "numbers"], ["classes"]),
        make.make_node("Reshape", ["zeros", "a column"], ["column"]),
        make.make_node("Add", ["column", "quarters"], ["boxes"]),
    ]
    constants = [
        constant("first", [0], np.int64),
        constant("a row", [1, 4], np.int64),
        constant("a column", [1, 4, 1], np.int64),
        constant("nothing", 0),
        constant("numbers", [[0, 1, 0, 0]]),
        constant("quarters", QUARTERS[None]),
    ]
    outputs = {"scores": [1, 4], "boxes": [1, 4, 4], "classes": [1, 4]}
    graph = make.make_graph(
        nodes,
        "yard",
        [make.make_tensor_value_info("pixels", floats, shape)],
        [make.make_tensor_value_info(name, floats, shape) for name, shape in outputs.items()],
        constants,
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_an_onnx_file_is_read_as_it_is(layout: str, tmp_path: Path, names: Path):
    file = tmp_path / "yard.onnx"
    onnx.save(onnx_model(layout), file)
    conventions = Conventions(OUTPUT, replace(INPUT, layout=layout))
    model = open_detector(DetectorChoice("yard", file, None, names, conventions), "cpu", 2)
    assert model.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    first, second = (one.detections for one in model.look([model.prepare(picture(quarter)) for quarter in (1, 2)]))
    assert (first.labels, second.labels) == (("gate",), ("door",))
    np.testing.assert_allclose(first.boxes, [[128, 0, 256, 96]], atol=1e-3)
    np.testing.assert_allclose(second.boxes, [[0, 96, 128, 192]], atol=1e-3)


def test_weights_that_no_digest_covers_are_refused(tmp_path: Path, names: Path):
    file = tmp_path / "yard.onnx"
    onnx.save(onnx_model("nchw"), file, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(ModelUnavailableError, match=r"keeps its weights in other files.*save it as one") as refused:
        open_detector(DetectorChoice("yard", file, None, names, Conventions(OUTPUT, INPUT)), "cpu", 2)
    assert "\n" not in str(refused.value)


OWN = {
    "model": "yard",
    "weights": "yard.onnx",
    "labels": "names.txt",
    "output": {"boxes": "boxes", "scores": "scores", "classes": "classes"},
    "input": {"layout": "nchw", "values": "0..1", "resize": [64, 64]},
    "classes": ["gate"],
}


@pytest.fixture
def yard(site: Any, names: Path) -> Any:
    """A site whose detector is a file of its owner's, with a picture of a gate and one of a door."""
    onnx.save(onnx_model("nchw"), names.with_name("yard.onnx"))
    configured(site)
    site.root.joinpath("gate").mkdir()
    for quarter in (1, 2):
        picture(quarter).save(site.path(f"gate/{quarter}.jpg"), quality=95)
    return site


def configured(site: Any, **detection: Any) -> None:
    site.configure(selection={"keeper": "objects"}, detection=OWN | detection, vault={"floor_megabytes": 0})


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_a_sweep_keeps_what_the_configured_file_finds(layout: str, yard: Any):
    onnx.save(onnx_model(layout), yard.folder / "yard.onnx")
    configured(yard, input=OWN["input"] | {"layout": layout})
    assert yard.run("sweep") == 0
    seen = {one.place.path: json.loads(one.evidence_before)["objects"] for one in yard.decisions()}
    ((label, score, *box),) = seen["gate/1.jpg"]
    assert (label, box) == ("gate", [128, 0, 256, 96])
    assert score > 0.7
    assert seen["gate/2.jpg"] == []  # a door, which is not asked for


def swap_names(site: Any) -> None:
    (site.folder / "names.txt").write_text("gate\ndoor\n")


def declare_another_order(site: Any) -> None:
    """The quarter at the right and top is then the one at the left and bottom, which no look at start can see."""
    configured(site, output=OWN["output"] | {"box_order": "tlbr"})


EDITS = pytest.mark.parametrize(
    ("edit", "words"), [(swap_names, "the class names: "), (declare_another_order, "the transform: ")]
)


@EDITS
def test_edited_names_and_conventions_make_another_model(
    edit: Callable[[Any], None], words: str, yard: Any, capsys: pytest.CaptureFixture[str]
):
    assert yard.run("sweep") == 0
    assert yard.run("verify", "--labels") == 0
    assert "2 labels hold" in capsys.readouterr().err
    edit(yard)
    assert yard.run("sweep") == 12
    told = capsys.readouterr().err
    assert words in told
    assert "--accept-model" in told
    assert yard.run("verify", "--labels") == 0
    assert "0 labels hold, 2 cannot be compared" in capsys.readouterr().err
    assert yard.run("sweep", "--accept-model") == 0
    assert yard.run("sweep") == 0


@EDITS
def test_a_reload_refuses_edited_names_and_conventions(edit: Callable[[Any], None], words: str, yard: Any):
    with opened(yard.config) as house:
        assert read_anew(house, lambda: yard.config).model.digest == house.model.digest
        edit(yard)
        with pytest.raises(ModelUnavailableError, match=words):
            read_anew(house, lambda: yard.config)


def test_the_study_takes_a_configured_file(yard: Any, capsys: pytest.CaptureFixture[str]):
    torch.set_num_threads(1)
    config = str(yard.folder / "config.toml")
    assert run(["study", "objects", str(yard.root), "--ladder", "50,10", "--json", "--config", config]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["detector"]["name"] == "yard"
    assert told["detector"]["digest"] == hashlib.sha256((yard.folder / "yard.onnx").read_bytes()).hexdigest()
    assert told["objects"]["classes"] == []  # those of the options, of which there are none
    assert run(["study", "objects", str(yard.root), "--config", config, "--detector", "yard"]) == 2
    assert "leave --detector" in capsys.readouterr().err
