"""torchvision's own weights: what this machine has of them already, and how the rest gets here."""

from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import torch
from torchvision.models import get_model_weights

from framekeep.errors import ModelUnavailableError

_PATIENCE: Final = 5.0
"""Seconds that the server of the weights gets to answer."""


def categories(name: str) -> tuple[str, ...]:
    """The class names of torchvision's own weights, in the network's order, with its background first."""
    return tuple(_published(name).meta["categories"])


def fetch(name: str) -> Path:
    """The file of weights. What this machine has already is used as it is: a model of record must not change by itself.

    Raises ModelUnavailableError.
    """
    path = cached_file(name)
    if path.exists():
        return path
    if not reachable(name):
        raise ModelUnavailableError(
            f"the weights of {name} are not on this machine, and {_published(name).url} cannot be reached: try again "
            "with a connection, or set weights to a local file"
        )
    _download(name, path)
    return path


def cached_file(name: str) -> Path:
    """Where torch.hub keeps the file once it has been fetched."""
    file: str = _published(name).url.rpartition("/")[2]
    return Path(torch.hub.get_dir()) / "checkpoints" / file


def reachable(name: str) -> bool:
    try:
        with urlopen(Request(_published(name).url, method="HEAD"), timeout=_PATIENCE):  # noqa: S310 - torchvision's own
            return True
    except OSError:
        return False


def _download(name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest_begins = path.stem.rpartition("-")[2]
    try:
        torch.hub.download_url_to_file(_published(name).url, str(path), digest_begins, progress=False)
    except (OSError, RuntimeError) as error:
        raise ModelUnavailableError(
            f"the weights of {name} could not be fetched: {error}; set weights to a local file"
        ) from error


def _published(name: str) -> Any:  # noqa: ANN401 - torchvision tells no types
    return get_model_weights(name).DEFAULT
