"""Which detectors can be used on this machine, and why the others cannot."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from framekeep.errors import ModelUnavailableError
from framekeep.models.detectors.catalogue import (
    OID,
    OID_CLASSES,
    OID_LICENCE,
    OID_PACKAGE,
    PEDESTRIAN,
    PEDESTRIAN_CLASSES,
    PEDESTRIAN_PACKAGE,
    TORCHVISION,
    DetectorChoice,
    Kind,
    kind_of,
    without_background,
)
from framekeep.models.detectors.weights import find_file, require_openvino
from framekeep.models.listing import ModelInfo
from framekeep.models.names import read_names
from framekeep.models.weights import checked_weights

_LICENCES: Final = MappingProxyType({Kind.PEDESTRIAN: PEDESTRIAN_PACKAGE.licence, Kind.OID: OID_LICENCE})


def detector_listing(choice: DetectorChoice) -> list[ModelInfo]:
    """The configured detector first, then those that a command of make installs."""
    is_own = choice.weights is not None or choice.conventions is not None
    others = [DetectorChoice(name) for name in (PEDESTRIAN, OID) if is_own or name != choice.name]
    return [_describe(one) for one in (choice, *others)]


def _describe(choice: DetectorChoice) -> ModelInfo:
    blank = ModelInfo(choice.name, "detector", _source(choice))
    try:
        names = read_names(choice.class_names) if choice.class_names else _published_names(choice)
        licence = _LICENCES.get(kind_of(choice)) if choice.weights is None else None
        known = replace(blank, classes=len(without_background(names)) or None, licence=licence)
        return _torchvisions(choice, known) if kind_of(choice) is Kind.TORCHVISION else _graphs(choice, known)
    except ModelUnavailableError as error:
        return replace(blank, why=str(error))


def _source(choice: DetectorChoice) -> str:
    if choice.weights is not None:
        return f"file {choice.weights}"
    known = {PEDESTRIAN: f"package {PEDESTRIAN_PACKAGE.distribution}", OID: f"npm {OID_PACKAGE}"}
    return known.get(choice.name, "hub" if choice.name in TORCHVISION else "unknown")


def _published_names(choice: DetectorChoice) -> tuple[str, ...]:
    if kind_of(choice) is not Kind.TORCHVISION:
        return {Kind.PEDESTRIAN: PEDESTRIAN_CLASSES, Kind.OID: OID_CLASSES}.get(kind_of(choice), ())
    from framekeep.models.detectors.torchvision_hub import categories  # noqa: PLC0415 - torch takes seconds to import

    return categories(choice.name)


def _graphs(choice: DetectorChoice, known: ModelInfo) -> ModelInfo:
    found = replace(known, digest=find_file(choice).digest)
    require_openvino()
    return replace(found, usable=True)


def _torchvisions(choice: DetectorChoice, known: ModelInfo) -> ModelInfo:
    from framekeep.models.detectors.torchvision_hub import cached_file, reachable  # noqa: PLC0415 - as above

    path = choice.weights or cached_file(choice.name)
    if choice.weights is not None or path.exists():
        return replace(known, digest=checked_weights([path], choice.weights_sha256).digest, usable=True)
    if reachable(choice.name):
        return replace(known, usable=True, why="not on this machine yet: the first start fetches it")
    return replace(known, why="not on this machine, and its server cannot be reached: set weights to a local file")
