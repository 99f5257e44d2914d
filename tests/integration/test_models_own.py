"""An owner's own weights: fine-tuned checkpoints as they are found in the wild, and files that are none."""

import os
import pickle
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import ModelChoice
from framekeep.models.classifier import open_classifier
from framekeep.models.listing import listing

TINY = "test_resnet"
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def tuned() -> torch.nn.Module:
    torch.manual_seed(7)
    module: torch.nn.Module = timm.create_model(TINY, num_classes=3)
    return module.eval()


@pytest.fixture
def names(tmp_path: Path) -> Path:
    file = tmp_path / "names.txt"
    file.write_text("gate open\ngate shut\nfog\n")
    return file


def wrapped_by_torch_save(make: Callable[[Tensors], Any]) -> Callable[[Tensors, Path], None]:
    return lambda tensors, path: torch.save(make(tensors), path)


LAYOUTS: dict[str, tuple[str, Callable[[Tensors, Path], None]]] = {
    "safetensors": ("w.safetensors", save_file),
    "plain": ("w.pth", wrapped_by_torch_save(lambda tensors: tensors)),
    "state_dict": ("w.pt", wrapped_by_torch_save(lambda tensors: {"epoch": 3, "state_dict": tensors})),
    "model": ("w.pt", wrapped_by_torch_save(lambda tensors: {"model": tensors})),
    "parallel": ("w.pt", wrapped_by_torch_save(lambda tensors: {f"module.{key}": t for key, t in tensors.items()})),
    "timm's training": (
        "w.pth.tar",
        wrapped_by_torch_save(lambda tensors: {"arch": TINY, "args": Namespace(lr=0.1), "state_dict": tensors}),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_fine_tuned_checkpoint_sees_what_it_saw_in_training(
    tmp_path: Path, tuned: torch.nn.Module, names: Path, layout: str
) -> None:
    file, save = LAYOUTS[layout]
    save(tuned.state_dict(), tmp_path / file)
    classifier = open_classifier(ModelChoice(TINY, tmp_path / file, class_names=names), "cpu", 4)
    prepared = classifier.prepare(Image.linear_gradient("L"))
    [seen] = classifier.look([prepared])
    with torch.inference_mode():
        expected = tuned(classifier.normalised([prepared])).softmax(1)[0].numpy()
    assert list(classifier.class_names) == ["gate open", "gate shut", "fog"]
    assert seen.prediction is not None
    np.testing.assert_allclose(seen.prediction.probabilities, expected, atol=1e-6)


def refusal(choice: ModelChoice) -> str:
    with pytest.raises(ModelUnavailableError) as refused:
        open_classifier(choice, "cpu", 4)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_fine_tuned_checkpoint_without_names_is_refused(tmp_path: Path, tuned: torch.nn.Module) -> None:
    torch.save(tuned.state_dict(), tmp_path / "w.pth")
    message = refusal(ModelChoice(TINY, tmp_path / "w.pth"))
    assert "(3," in message
    assert "(1000," in message
    assert "class_names" in message


def test_a_wrong_number_of_names_is_refused(tmp_path: Path, tuned: torch.nn.Module, names: Path) -> None:
    names.write_text("open\nshut\n")
    torch.save(tuned.state_dict(), tmp_path / "w.pth")
    assert "(2," in refusal(ModelChoice(TINY, tmp_path / "w.pth", class_names=names))


def test_another_models_file_is_refused(tmp_path: Path, names: Path) -> None:
    torch.save(timm.create_model("test_vit", num_classes=3).state_dict(), tmp_path / "w.pth")
    assert "another model's file" in refusal(ModelChoice(TINY, tmp_path / "w.pth", class_names=names))


def test_a_checkpoint_that_lacks_a_tensor_is_refused(tmp_path: Path, tuned: torch.nn.Module, names: Path) -> None:
    tensors = tuned.state_dict()
    del tensors["fc.bias"]
    torch.save(tensors, tmp_path / "w.pth")
    message = refusal(ModelChoice(TINY, tmp_path / "w.pth", class_names=names))
    assert "1 tensors are missing" in message
    assert "fc.bias" in message


def test_a_number_in_a_tensors_place_is_refused(tmp_path: Path, tuned: torch.nn.Module, names: Path) -> None:
    counter = "bn1.num_batches_tracked"
    torch.save({**tuned.state_dict(), counter: 5}, tmp_path / "w.pth")
    message = refusal(ModelChoice(TINY, tmp_path / "w.pth", class_names=names))
    assert f"{counter!r} has the shape int where () is expected" in message


class Hostile:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("kind", ["pickle", "torch", "legacy torch", "inside", "named safetensors"])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path, tuned: torch.nn.Module, kind: str) -> None:
    trap, file = tmp_path / "trap", tmp_path / ("w.safetensors" if kind == "named safetensors" else "w.pth")
    if kind == "pickle":
        file.write_bytes(pickle.dumps(Hostile(trap)))
    else:
        content = {"state_dict": tuned.state_dict(), "args": Hostile(trap)} if kind == "inside" else Hostile(trap)
        torch.save(content, file, _use_new_zipfile_serialization=kind != "legacy torch")
    assert "does not load as plain weights" in refusal(ModelChoice(TINY, file))
    assert not trap.exists()


def test_the_trap_of_these_tests_is_one(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Hostile(tmp_path / "trap")))  # noqa: S301 - proves that the test above could fail
    assert (tmp_path / "trap").exists()


@pytest.mark.parametrize("file", ["w.pth", "w.safetensors", "w.npz"])
@pytest.mark.parametrize("data", [b"", b"GIF89a", b"PK\x03\x04" + bytes(60), b"\x80\x02N.", b"\xff" * 64])
def test_a_file_of_something_else_is_refused(tmp_path: Path, file: str, data: bytes) -> None:
    (tmp_path / file).write_bytes(data)
    assert "does not load as plain weights" in refusal(ModelChoice(TINY, tmp_path / file))


def test_a_truncated_file_is_refused(tmp_path: Path, tuned: torch.nn.Module) -> None:
    file = tmp_path / "w.safetensors"
    save_file(tuned.state_dict(), file)
    file.write_bytes(file.read_bytes()[:-100])
    assert "does not load as plain weights" in refusal(ModelChoice(TINY, file))


def test_a_wrong_digest_is_refused_before_the_file_is_read_as_weights(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(pickle.dumps(Hostile(tmp_path / "trap")))
    assert "0" * 64 in refusal(ModelChoice(TINY, tmp_path / "w.pth", weights_sha256="0" * 64))


def test_an_unknown_name_gets_a_suggestion(tmp_path: Path) -> None:
    assert "did you mean" in refusal(ModelChoice("efficientnet_light0", tmp_path / "w.pth"))
    assert "bad" in refusal(ModelChoice("resnet10t.bad"))
    for name in ("hf-hub:somebody/something", "local-dir:/somewhere", "", "../x"):
        assert "timm knows no model" in refusal(ModelChoice(name))


def test_the_listing_knows_names_that_timm_does_not(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"there")
    assert listing(ModelChoice(TINY, tmp_path / "w.pth"))[0].usable
    unknown = listing(ModelChoice("nonsense", tmp_path / "w.pth"))[0]
    assert not unknown.usable
    assert "timm knows no model" in unknown.why


def test_a_network_without_classes_is_refused(tmp_path: Path) -> None:
    backbone = "eva02_tiny_patch14_224"  # published as what comes before a classifier
    torch.save(timm.create_model(backbone).state_dict(), tmp_path / "w.pth")
    assert "is no classifier" in refusal(ModelChoice(backbone, tmp_path / "w.pth"))
