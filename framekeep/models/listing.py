"""Which models can be used on this machine, and why the others cannot."""

from dataclasses import dataclass, replace
from typing import Final

from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import PACKAGED, ModelChoice, packaged
from framekeep.models.names import read_class_names
from framekeep.models.weights import find_weights

_HUB: Final = "hub"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A line of `framekeep models`. What is not known is None; a usable model has no `why`, or a remark."""

    name: str
    kind: str
    source: str
    classes: int | None = None
    licence: str | None = None
    digest: str | None = None
    usable: bool = False
    why: str = ""


def listing(choice: ModelChoice) -> list[ModelInfo]:
    """The configured model first, then all that come in packages."""
    others = [ModelChoice(name) for name in PACKAGED if choice.weights is not None or name != choice.name]
    return [_describe(one) for one in (choice, *others)]


def _describe(choice: ModelChoice) -> ModelInfo:
    blank = ModelInfo(choice.name, "classifier", _source(choice))
    try:
        known = _with_facts(choice, blank)
        return _to_fetch(known) or replace(known, digest=find_weights(choice).digest, usable=True)
    except ModelUnavailableError as error:
        return replace(blank, why=str(error))


def _source(choice: ModelChoice) -> str:
    if choice.weights is not None:
        return f"file {choice.weights}"
    package = packaged(choice)
    return f"package {package.distribution}" if package else _HUB


def _with_facts(choice: ModelChoice, info: ModelInfo) -> ModelInfo:
    classes, licence = _published(choice)
    return replace(
        info, classes=len(read_class_names(choice.class_names)) if choice.class_names else classes, licence=licence
    )


def _published(choice: ModelChoice) -> tuple[int, str | None]:
    """How many classes the model has as published, and the licence of the weights unless they are the owner's."""
    package = packaged(choice)
    if package is not None:
        return package.classes, package.licence
    from framekeep.models.architecture import published  # noqa: PLC0415 - timm takes seconds to import: not for a package

    record = published(choice.name)
    return record.num_classes, record.license if choice.weights is None else None


def _to_fetch(info: ModelInfo) -> ModelInfo | None:
    """The info of a model that the hub has and this machine has not; None for any other."""
    if info.source != _HUB:
        return None
    from framekeep.models.hub import cached_file, reachable  # noqa: PLC0415 - as above

    if cached_file(info.name) is not None:
        return None
    if reachable():
        return replace(info, usable=True, why="not on this machine yet: the first start fetches it from the hub")
    return replace(info, why="not on this machine, and the hub cannot be reached: set weights to a local file")
