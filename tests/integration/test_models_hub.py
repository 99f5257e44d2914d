"""timm's hub: without a connection, with a cache, and with a small server that stands in for it."""

import hashlib
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save

from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import ModelChoice
from framekeep.models.classifier import open_classifier
from framekeep.models.listing import listing

NAME = "test_resnet"
REPOSITORY = "timm/test_resnet.r160_in1k"
COMMIT = "c" * 40
NOBODY = "http://127.0.0.1:9"


def move_hub(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """What the variable HF_ENDPOINT does in a fresh process."""
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")


@pytest.fixture(scope="module")
def weights() -> bytes:
    torch.manual_seed(5)
    data: bytes = save(timm.create_model(NAME).state_dict())
    return data


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's client, and a hub at which nobody answers."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    move_hub(monkeypatch, NOBODY)
    return tmp_path / "cache"


@pytest.fixture
def hub(weights: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that has the weights of the one model."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            found = self.path in ("/", f"/{REPOSITORY}/resolve/main/model.safetensors")
            self.send_response(200 if found else 404)
            self.send_header("ETag", f'"{hashlib.sha256(weights).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(weights) if found else 0))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(weights)

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    move_hub(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


def test_without_a_connection_the_answer_is_quick_and_a_sentence() -> None:
    start = time.monotonic()
    with pytest.raises(ModelUnavailableError, match=r"cannot be reached: .* set weights to a local file"):
        open_classifier(ModelChoice(NAME), "cpu", 4)
    assert time.monotonic() - start < 10
    info = listing(ModelChoice(NAME))[0]
    assert (info.source, info.usable, info.classes, info.digest) == ("hub", False, 1000, None)
    assert "cannot be reached" in info.why


def test_what_was_fetched_before_needs_no_connection(cache: Path, weights: bytes) -> None:
    folder = cache / f"models--{REPOSITORY.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "snapshots" / COMMIT / "model.safetensors").write_bytes(weights)
    digest = hashlib.sha256(weights).hexdigest()
    classifier = open_classifier(ModelChoice(NAME, weights_sha256=digest), "cpu", 4)
    assert (classifier.digest, classifier.class_names[0]) == (digest, "tench")
    info = listing(ModelChoice(f"{NAME}.r160_in1k"))[0]
    assert (info.usable, info.digest, info.why) == (True, digest, "")


def test_weights_come_from_the_hub_and_stay(hub: None, weights: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "the first start fetches it" in listing(ModelChoice(NAME))[0].why
    fetched = open_classifier(ModelChoice(NAME), "cpu", 4)
    assert fetched.digest == hashlib.sha256(weights).hexdigest()
    move_hub(monkeypatch, NOBODY)
    assert open_classifier(ModelChoice(NAME), "cpu", 4).digest == fetched.digest


def test_a_model_that_the_hub_lacks_is_told(hub: None) -> None:
    with pytest.raises(ModelUnavailableError, match="could not be fetched"):
        open_classifier(ModelChoice("test_vit"), "cpu", 4)


def test_other_weights_than_asked_for_are_refused(hub: None) -> None:
    with pytest.raises(ModelUnavailableError, match="0" * 64):
        open_classifier(ModelChoice(NAME, weights_sha256="0" * 64), "cpu", 4)


def test_the_number_of_names_must_be_that_of_the_classes(hub: None, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    with pytest.raises(ModelUnavailableError, match="has 1000 classes, but class_names holds 2"):
        open_classifier(ModelChoice(NAME, class_names=tmp_path / "names.txt"), "cpu", 4)


def test_a_model_that_nobody_published_weights_for_is_refused() -> None:
    with pytest.raises(ModelUnavailableError, match="the hub has no weights"):
        open_classifier(ModelChoice("efficientnet_b6"), "cpu", 4)
