"""Which models of record the ledger has met: the same name has to mean the same model at every start."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from storage.ledger.schema import ModelRow


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What makes a model of record the same one at two starts."""

    name: str
    digest: str
    classes: str
    """How many, and a digest of their names."""
    transform: str
    """The evaluation transform in words."""


def last_model(connection: Connection, name: str) -> ModelFacts | None:
    """As the last start with this name met it."""
    columns = (ModelRow.name, ModelRow.digest, ModelRow.classes, ModelRow.transform)
    row = connection.execute(
        select(*columns).where(ModelRow.name == name).order_by(ModelRow.id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else ModelFacts(*row)


def remember_model(connection: Connection, facts: ModelFacts, at: datetime) -> None:
    connection.execute(insert(ModelRow).values(**asdict(facts), since=at))
