"""Puts the detector oid_ssd into this venv: `python -m framekeep.models.detectors.oid FILE`, for `make detector-oid`.

FILE is what `npm pack` makes of the package that the catalogue names. Nothing of it is run or unpacked: one part of one
file is copied, once its digest is the known one.
"""

import hashlib
import os
import sys
import tarfile
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from framekeep.errors import ModelUnavailableError
from framekeep.models.detectors.catalogue import OID_FILE, OID_PACKAGE, OID_SHA256, OID_VERSION

_ASSETS: Final = "package/objectron_solution_packed_assets.data"
_BEGIN, _END = 184, 9_987_912
"""The network's bytes among the assets; before them stand the names of its classes."""


def network_in(archive: Path) -> bytes:
    """The network out of npm's package. Raises ModelUnavailableError."""
    try:
        with tarfile.open(archive) as package:
            assets = package.extractfile(_ASSETS)
            data = assets.read(_END)[_BEGIN:] if assets else b""
    except (OSError, KeyError, tarfile.TarError) as error:
        raise ModelUnavailableError(f"{archive} cannot be read as the package {OID_PACKAGE}: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != OID_SHA256:
        raise ModelUnavailableError(
            f"{archive} does not hold the known network: its SHA-256 is {found}, expected {OID_SHA256}; "
            f"the network is in {OID_PACKAGE} {OID_VERSION}"
        )
    return data


def install(archive: Path, place: Path = OID_FILE) -> None:
    """Whole or not at all. Raises ModelUnavailableError."""
    data = network_in(archive)
    place.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=place.parent, delete=False) as file:
        file.write(data)
    Path(file.name).chmod(0o644)  # a service of another user reads it
    os.replace(file.name, place)  # noqa: PTH105


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except (ModelUnavailableError, OSError) as error:
        sys.exit(str(error))
