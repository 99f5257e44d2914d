"""Where a detector's file lies on this machine, and whether it is the one that was asked for."""

from importlib.util import find_spec
from pathlib import Path

from framekeep.errors import ModelUnavailableError
from framekeep.models.detectors.catalogue import (
    OID_FILE,
    OID_SHA256,
    PEDESTRIAN_PACKAGE,
    DetectorChoice,
    Kind,
    kind_of,
)
from framekeep.models.weights import Weights, checked_weights, packaged_file


def find_file(choice: DetectorChoice) -> Weights:
    """The file that OpenVINO reads. Raises ModelUnavailableError."""
    kind = kind_of(choice)
    if choice.weights is not None:
        return checked_weights(_parts(choice.weights), choice.weights_sha256)
    if kind is Kind.PEDESTRIAN:
        expected = choice.weights_sha256 or PEDESTRIAN_PACKAGE.sha256
        return checked_weights([packaged_file(PEDESTRIAN_PACKAGE)], expected)
    if kind is Kind.OID:
        return _oid(choice)
    raise ModelUnavailableError(f"{choice.name} is a detector of your own: set weights to its file")


def require_openvino() -> None:
    """Raises ModelUnavailableError where what reads the files is missing."""
    if find_spec("openvino") is None:
        raise ModelUnavailableError(
            "OpenVINO, which reads the detector's file, is not installed: pip install 'openvino>=2024.6'"
        )


def _oid(choice: DetectorChoice) -> Weights:
    if not OID_FILE.exists():
        raise ModelUnavailableError(
            f"the detector {choice.name} is not on this machine: make detector-oid puts it at {OID_FILE}, or set "
            "weights to its file"
        )
    return checked_weights([OID_FILE], choice.weights_sha256 or OID_SHA256)


def _parts(path: Path) -> list[Path]:
    """OpenVINO keeps the weights of a network in a file of their own."""
    return [path, path.with_suffix(".bin")] if path.suffix == ".xml" else [path]
