"""When the jobs that come round in days were last done: a restart must not put them off for ever."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from storage.ledger.schema import ChoreRow


def chore_done_at(connection: Connection, name: str) -> datetime | None:
    return connection.scalar(select(ChoreRow.done_at).where(ChoreRow.name == name))


def chore_done(connection: Connection, name: str, at: datetime) -> None:
    done = upsert(ChoreRow).values(name=name, done_at=at)
    connection.execute(done.on_conflict_do_update(index_elements=["name"], set_={"done_at": done.excluded.done_at}))
