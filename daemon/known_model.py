"""A wrong model cannot start: a model's name has to mean the model that it meant before."""

from daemon.log import log
from framekeep.errors import ModelUnavailableError
from framekeep.models.base import Model
from framekeep.models.identity import names_of
from storage.ledger.known_models import ModelFacts
from storage.ledger.writer import Writer


def facts_of(model: Model) -> ModelFacts:
    return ModelFacts(model.name, model.digest, names_of(model), model.transform)


def refuse_another(known: ModelFacts | None, found: ModelFacts) -> None:
    """Raises ModelUnavailableError where the ledger knows another model of that name."""
    if known is not None and known != found:
        raise ModelUnavailableError(
            f"the model {found.name} is not the one that this ledger's decisions were made with: "
            f"{_difference(known, found)}; put the old one back or, if the change is meant, start once with "
            "--accept-model (framekeep sweep --accept-model does, too)"
        )


def meet(writer: Writer, found: ModelFacts, *, accept: bool) -> None:
    """Compares the model with what the ledger remembers, and remembers it. Raises ModelUnavailableError, LedgerError.

    `accept`: a person says that a change is meant.
    """
    known = writer.last_model(found.name)
    if known == found:
        return
    if known is not None and accept:
        difference = _difference(known, found)
        log.warning("model_accepted", model=found.name, difference=difference)
        writer.note("model_accepted", {"model": found.name, "difference": difference})
    else:
        refuse_another(known, found)
    writer.remember_model(found)


def _difference(known: ModelFacts, found: ModelFacts) -> str:
    """What differs, by the names that an administrator knows."""
    pairs = {
        "the weights' SHA-256": (known.digest, found.digest),
        "the class names": (known.classes, found.classes),
        "the transform": (known.transform, found.transform),
    }
    return "; ".join(f"{name}: was {old}, is {new}" for name, (old, new) in pairs.items() if old != new)
