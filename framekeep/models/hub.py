"""timm's models on the hub: what this machine has of them already, and how the rest gets here."""

from pathlib import Path
from typing import Final

import huggingface_hub

from framekeep.errors import ModelUnavailableError
from framekeep.models.architecture import published

_FILE: Final = "model.safetensors"
_PATIENCE: Final = 5.0
"""Seconds that the hub gets to answer. Its own client tries for most of a minute before it gives up."""


def fetch(name: str) -> Path:
    """The file of weights. What this machine has already is used as it is: a model of record must not change by itself.

    Raises ModelUnavailableError.
    """
    cached = cached_file(name)
    if cached is not None:
        return cached
    if not reachable():
        raise ModelUnavailableError(
            f"the weights of {name} are not on this machine, and the hub cannot be reached: try again with a "
            "connection, or set weights to a local file"
        )
    return _download(name)


def cached_file(name: str) -> Path | None:
    """The file of weights where an earlier run has fetched it. Raises ModelUnavailableError for a name of no model."""
    path = huggingface_hub.try_to_load_from_cache(_repository(name), _FILE)
    return Path(path) if isinstance(path, str) else None


def reachable() -> bool:
    try:
        huggingface_hub.get_session().head(huggingface_hub.constants.ENDPOINT, timeout=_PATIENCE)
    except Exception:  # noqa: BLE001 - each version of the hub's client has errors of its own, and all mean "no"
        return False
    return True


def _download(name: str) -> Path:
    try:
        return Path(huggingface_hub.hf_hub_download(_repository(name), _FILE))
    except (OSError, ValueError, huggingface_hub.errors.HfHubHTTPError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ModelUnavailableError(
            f"the weights of {name} could not be fetched: {reason}; set weights to a local file"
        ) from error


def _repository(name: str) -> str:
    repository: str | None = published(name).hf_hub_id
    if not repository:
        raise ModelUnavailableError(f"the hub has no weights for {name}: set weights to a local file")
    return repository
