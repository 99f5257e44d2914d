"""The chain of custody of one path: every event of every decision about it."""

from sqlalchemy import Connection, select

from storage.ledger.answers import Told
from storage.ledger.decisions import numbered
from storage.ledger.schema import CameraRow, DecisionRow, EventRow, FileRow, RootRow
from storage.records import Event, Place


def history(connection: Connection, place: Place) -> list[Told]:
    """In the order in which things happened."""
    question = (
        select(EventRow.id, EventRow.at, EventRow.kind, EventRow.decision_id, EventRow.payload, EventRow.digest)
        .join_from(EventRow, DecisionRow)
        .join(FileRow)
        .join(CameraRow)
        .join(RootRow)
        .where(FileRow.path == place.path, RootRow.path == place.root)
        .order_by(EventRow.id)
    )
    events = [
        Event(number, at, kind, decision, payload, digest.hex())
        for number, at, kind, decision, payload, digest in connection.execute(question)
    ]
    decisions = numbered(connection, sorted({event.decision for event in events if event.decision}))
    return [Told(event, decisions[event.decision]) for event in events if event.decision]
