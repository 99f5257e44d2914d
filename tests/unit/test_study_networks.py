"""The paper's networks without their weights: what they are made of, how they see a picture, a strict round trip."""

from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from framekeep.errors import ModelUnavailableError, UsageError
from framekeep.models.catalogue import ModelChoice
from study.networks import PAPER, WeightsNotPresentError, open_network, parse_network

INCEPTION, RESNET = PAPER
DIGEST = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("framekeep.models.hub.reachable", lambda: False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


def random_weights(folder: Path, name: str, **kwargs: int) -> tuple[torch.nn.Module, Path]:
    torch.manual_seed(3)
    module = timm.create_model(name, **kwargs).eval()
    file = folder / "weights.safetensors"
    save_file(module.state_dict(), file)
    return module, file


@pytest.mark.parametrize(("name", "millions"), [(INCEPTION, 24), (RESNET, 25)])
def test_the_papers_networks_are_built_and_filled_strictly(tmp_path: Path, name: str, millions: int) -> None:
    module, file = random_weights(tmp_path, name)
    opened = open_network(ModelChoice(name, file), "cpu", 11)
    assert abs(opened.parameters / 1e6 - millions) < 0.6
    assert len(opened.model.class_names) == 1000
    picture = opened.model.prepare(Image.linear_gradient("L"))
    assert picture.shape == (299, 299, 3)
    with torch.inference_mode():
        expected = module(opened.model.normalised([picture])).softmax(dim=1)[0]
    prediction = opened.model.look([picture])[0].prediction
    assert prediction is not None
    assert torch.allclose(torch.from_numpy(prediction.probabilities), expected, atol=1e-6)


def test_weights_that_lack_a_tensor_are_refused(tmp_path: Path) -> None:
    module, file = random_weights(tmp_path, "test_resnet")
    save_file(dict(list(module.state_dict().items())[1:]), file)
    with pytest.raises(ModelUnavailableError, match="1 tensors are missing"):
        open_network(ModelChoice("test_resnet", file), "cpu", 11)


def test_weights_with_tensorflows_1001_classes_fit(tmp_path: Path) -> None:
    _, file = random_weights(tmp_path, "test_resnet", num_classes=1001)
    names = open_network(ModelChoice("test_resnet", file), "cpu", 11).model.class_names
    assert (len(names), names[:2]) == (1001, ("background", "n01440764"))


def test_the_digest_must_be_the_files(tmp_path: Path) -> None:
    _, file = random_weights(tmp_path, "test_resnet")
    with pytest.raises(ModelUnavailableError, match="not the ones that were asked for"):
        open_network(parse_network(f"test_resnet={file}:{DIGEST}"), "cpu", 11)


@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize("name", PAPER)
def test_weights_that_are_not_to_be_had_are_a_state_of_their_own(name: str) -> None:
    with pytest.raises(WeightsNotPresentError, match="set weights to a local file"):
        open_network(ModelChoice(name), "cpu", 11)


def test_an_unknown_name_and_a_missing_file_are_mistakes(tmp_path: Path) -> None:
    for choice in (ModelChoice("inception_v33"), ModelChoice(INCEPTION, tmp_path / "gone.safetensors")):
        with pytest.raises(ModelUnavailableError) as told:
            open_network(choice, "cpu", 11)
        assert not isinstance(told.value, WeightsNotPresentError)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("resnetv2_50", ModelChoice("resnetv2_50")),
        ("resnetv2_50=a:b.pth", ModelChoice("resnetv2_50", Path("a:b.pth"))),
        (f"resnetv2_50=w.pth:{DIGEST}", ModelChoice("resnetv2_50", Path("w.pth"), DIGEST)),
    ],
)
def test_a_network_is_named_with_or_without_its_file(text: str, choice: ModelChoice) -> None:
    assert parse_network(text) == choice


@pytest.mark.parametrize("text", ["", "=w.pth", "name="])
def test_what_names_no_network_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="NAME=FILE"):
        parse_network(text)
