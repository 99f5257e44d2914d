"""torchvision's detectors: a small one with weights that are made here, and a server in torchvision's place."""

import hashlib
import io
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision.models import detection, get_model, get_model_weights, list_models

from framekeep.errors import ModelUnavailableError
from framekeep.evidence import Detections
from framekeep.models.base import Model
from framekeep.models.detectors.catalogue import TORCHVISION, DetectorChoice
from framekeep.models.detectors.listing import detector_listing
from framekeep.models.detectors.opening import open_detector
from framekeep.models.detectors.torchvision_detector import TorchvisionDetector
from framekeep.models.detectors.torchvision_network import DetectionNetwork, load_network
from framekeep.reasons import Kept

NAME = "ssdlite320_mobilenet_v3_large"
NAMES = ("__background__", "gate open", "gate shut")


@pytest.fixture(scope="module")
def module() -> torch.nn.Module:
    """Sure of many things: its classification heads are louder than training would make them."""
    torch.manual_seed(3)
    made: Any = get_model(NAME, weights=None, weights_backbone=None, num_classes=3)
    for layer in made.head.classification_head.modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.bias is not None:
            torch.nn.init.normal_(layer.weight, std=0.2)
    found: torch.nn.Module = made.eval()
    return found


@pytest.fixture
def choice(tmp_path: Path, module: torch.nn.Module) -> DetectorChoice:
    torch.save(module.state_dict(), tmp_path / "w.pth")
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    return DetectorChoice(NAME, tmp_path / "w.pth", class_names=tmp_path / "names.txt")


def noise(seed: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def detected(model: Model, pictures: list[Image.Image]) -> list[Detections]:
    found = model.look([model.prepare(picture) for picture in pictures])
    return [evidence.detections for evidence in found if evidence.detections is not None]


def test_every_name_is_one_of_torchvisions():
    published = set(list_models(module=detection))
    assert published >= TORCHVISION
    assert all(name.startswith(("maskrcnn", "keypointrcnn")) for name in published - TORCHVISION)


def test_what_is_seen_is_what_the_network_says(choice: DetectorChoice, module: torch.nn.Module):
    model = open_detector(choice, "cpu", 4)
    assert (model.name, model.device, list(model.class_names)) == (NAME, "cpu", ["gate open", "gate shut"])
    assert "320" in model.transform
    for seed in range(2):
        picture = noise(seed)
        (found,) = detected(model, [picture])
        with torch.inference_mode():
            (expected,) = module([torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255])
        likely = expected["scores"] >= 0.2
        assert len(found) == int(likely.sum()) > 0
        assert found.labels == tuple(NAMES[k] for k in expected["labels"][likely])
        np.testing.assert_allclose(found.scores, expected["scores"][likely], atol=1e-5)
        np.testing.assert_allclose(found.boxes, expected["boxes"][likely], atol=1e-3)


def test_neither_the_batch_nor_other_sizes_in_it_matter(choice: DetectorChoice):
    model = open_detector(choice, "cpu", 2)
    pictures = [noise(seed, (160 + 60 * (seed % 2), 120)) for seed in range(4)]
    together, again = detected(model, pictures), detected(model, pictures)
    alone = [found for picture in pictures for found in detected(model, [picture])]
    for first, second, third in zip(together, again, alone, strict=True):
        np.testing.assert_array_equal(first.scores, second.scores)
        np.testing.assert_array_equal(first.boxes, second.boxes)
        assert first.labels == third.labels
        np.testing.assert_allclose(first.scores, third.scores, atol=1e-4)
        np.testing.assert_allclose(first.boxes, third.boxes, atol=1e-2)
    assert model.look([]) == []


def test_a_line_of_pixels_is_kept(choice: DetectorChoice):
    with pytest.raises(Kept, match="65500 by 1"):
        open_detector(choice, "cpu", 1).prepare(Image.new("L", (65500, 1)))


class Brightness(torch.nn.Module):
    """A head of numbers, and one box as bright as the picture; has room for two pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.transform, self.seen = torch.nn.Identity(), "as it is", []

    def forward(self, pictures: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        self.seen.append([tuple(picture.shape[1:]) for picture in pictures])
        if len(pictures) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        means = [self.head({"logits": [picture.mean()[None]]})["logits"][0] for picture in pictures]
        return [{"labels": torch.tensor([1]), "scores": m, "boxes": torch.tensor([[0.0, 0, 9, 9]])} for m in means]


def brightness(module: Brightness) -> TorchvisionDetector:
    return TorchvisionDetector(DetectionNetwork("bright", module, "0" * 64, NAMES), torch.device("cpu"), 8)


def test_batches_are_of_one_size_and_of_what_fits_and_answers_in_order():
    module = Brightness()
    grey = [Image.new("L", (8 + 8 * (k % 2), 8), 255 - 10 * k) for k in range(7)]
    found = detected(brightness(module), grey)
    np.testing.assert_allclose([one.scores[0] for one in found], [1 - 10 * k / 255 for k in range(7)], rtol=1e-5)
    assert [len(batch) for batch in module.seen] == [4, 2, 2, 2, 1]
    assert all(len(set(batch)) == 1 for batch in module.seen)


def test_an_answer_that_is_not_finite_is_no_detection():
    model = brightness(Brightness())
    with pytest.raises(FloatingPointError, match="bright"):
        model.look([np.full((2, 2, 3), np.nan, np.float32)])


def refusal(choice: DetectorChoice) -> str:
    with pytest.raises(ModelUnavailableError) as refused:
        open_detector(choice, "cpu", 1)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_weights_and_names_have_to_fit(tmp_path: Path, choice: DetectorChoice, module: torch.nn.Module):
    assert "labels" in refusal(DetectorChoice(NAME, choice.weights))
    other = DetectorChoice("fasterrcnn_mobilenet_v3_large_320_fpn", choice.weights, class_names=choice.class_names)
    assert "another model's file" in refusal(other)
    assert "0" * 64 in refusal(DetectorChoice(NAME, choice.weights, "0" * 64, choice.class_names))
    damaged = {key: value.clone() for key, value in module.state_dict().items()}
    next(iter(damaged.values()))[0] = np.nan
    save_file(damaged, tmp_path / "w.safetensors")
    assert "not finite" in refusal(DetectorChoice(NAME, tmp_path / "w.safetensors", class_names=choice.class_names))


def test_a_safetensors_file_is_read_as_well(tmp_path: Path, choice: DetectorChoice, module: torch.nn.Module):
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    model = open_detector(DetectorChoice(NAME, tmp_path / "w.safetensors", class_names=choice.class_names), "cpu", 1)
    assert model.digest == hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    (found,), (expected,) = (detected(one, [noise(1)]) for one in (model, open_detector(choice, "cpu", 1)))
    np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_normalisation_counts_no_batches_and_adds_no_epsilon(tmp_path: Path, frozen: bool):
    torch.manual_seed(1)
    made = get_model("retinanet_resnet50_fpn", weights=None, weights_backbone=None, num_classes=2)
    tensors = made.state_dict()
    save_file(
        {key: value for key, value in tensors.items() if not frozen or not key.endswith("num_batches_tracked")},
        tmp_path / "w.safetensors",
    )
    (tmp_path / "names.txt").write_text("__background__\ngate")
    network = load_network(
        DetectorChoice("retinanet_resnet50_fpn", tmp_path / "w.safetensors", class_names=tmp_path / "names.txt")
    )
    layers = [layer for layer in network.module.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert {layer.eps for layer in layers} == {0.0 if frozen else 1e-5}
    assert len(layers) == 53


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[bytes], str]]:
    """Moves torchvision's weights to a server here, which has these bytes; nothing is on this machine yet."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    content = io.BytesIO()

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content.getvalue())))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(content.getvalue())

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def publish(data: bytes, digest: str | None = None) -> str:
        content.write(data)
        file = f"ssdlite-{(digest or hashlib.sha256(data).hexdigest())[:8]}.pth"
        url = f"http://127.0.0.1:{server.server_port}/{file}"
        monkeypatch.setattr(get_model_weights(NAME).DEFAULT.value, "url", url)
        return file

    yield publish
    server.shutdown()
    server.server_close()


def test_published_weights_are_fetched_once_and_named(published: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    torch.manual_seed(2)
    content = io.BytesIO()
    torch.save(get_model(NAME, weights=None, weights_backbone=None).state_dict(), content)
    file = published(content.getvalue())
    assert "the first start fetches it" in detector_listing(DetectorChoice(NAME))[0].why
    model = open_detector(DetectorChoice(NAME), "cpu", 1)
    assert model.digest == hashlib.sha256(content.getvalue()).hexdigest()
    assert (len(model.class_names), model.class_names[0], model.class_names[-1]) == (80, "person", "toothbrush")
    monkeypatch.setattr(get_model_weights(NAME).DEFAULT.value, "url", f"http://127.0.0.1:9/{file}")
    assert open_detector(DetectorChoice(NAME), "cpu", 1).digest == model.digest
    info = detector_listing(DetectorChoice(NAME))[0]
    assert (info.usable, info.source, info.classes, info.digest) == (True, "hub", 80, model.digest)


def test_other_bytes_than_published_are_not_kept(published: Any, tmp_path: Path):
    published(b"other bytes", "0" * 64)
    assert "could not be fetched" in refusal(DetectorChoice(NAME))
    assert list((tmp_path / "hub" / "checkpoints").iterdir()) == []


def test_without_a_connection_the_answer_is_a_sentence(published: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(get_model_weights(NAME).DEFAULT.value, "url", "http://127.0.0.1:9/ssdlite-00000000.pth")
    assert "cannot be reached" in refusal(DetectorChoice(NAME))
    info = detector_listing(DetectorChoice(NAME))[0]
    assert (info.usable, info.digest) == (False, None)
    assert "cannot be reached" in info.why
