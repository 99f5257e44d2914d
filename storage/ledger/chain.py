"""Proving the chain of events, and that the ledger says what the events covered when they were added."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select, type_coerce
from sqlalchemy.types import NullType

from storage.ledger import holding
from storage.ledger.events import (
    BEGINNING,
    CHANGED,
    DECIDING,
    FACTS,
    Head,
    Kind,
    canonical,
    digest_of,
    head,
    spelled,
)
from storage.ledger.lookups import chunks
from storage.ledger.schema import DecisionRow, EventRow, State

_AT_ONCE: Final = 500
_RAW: Final = {
    name: type_coerce(column, NullType()).label(f"event_{name}") for name, column in EventRow.__table__.c.items()
}
_HOLDING: Final = (Kind.HOLD_ADDED, Kind.HOLD_REMOVED)


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that is not as it was when it was written. `event`: where; None where it is no event."""

    event: int | None
    sentence: str


@dataclass(slots=True)
class _Proof:
    """What the events so far come to."""

    end: Head = BEGINNING
    decisions: int = 0
    holds: dict[int, str] = field(default_factory=dict)
    """Each hold's row, as canonical JSON."""


def verify_chain(connection: Connection, kept: Head | None = None) -> Break | None:
    """The first break; None: nothing before the kept head was edited, removed or cut off.

    Without a kept head the whole end of the chain might have been cut off, or all of it written anew.
    """
    proof = _Proof()
    with _any_text(connection):
        return next(_breaks(connection, proof, kept), None) or next(_ends(connection, proof, kept), None)


@contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """Whoever edits a ledger may leave text that is no UTF-8: a break, and no reason to stumble."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the ledger's engine makes no other
    usual = driver.text_factory
    driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = usual


def _breaks(connection: Connection, proof: _Proof, kept: Head | None) -> Iterator[Break]:
    events = connection.execute(_question().execution_options(yield_per=_AT_ONCE))
    for rows in events.partitions():
        changes = _changes(connection, [row.there for row in rows if row.there is not None])
        for row in rows:
            if sentence := _wrong(row, proof, changes) or _not_kept(proof.end, kept):
                yield Break(row.event_id, sentence)


def _question() -> Select[*tuple[Any, ...]]:
    belongs = (DecisionRow.id == EventRow.decision_id) & EventRow.kind.in_(DECIDING)
    events = select(*_RAW.values(), type_coerce(DecisionRow.id, NullType()).label("there"), *FACTS.values())
    return spelled(events.select_from(EventRow).outerjoin(DecisionRow, belongs)).order_by(EventRow.id)


def _wrong(row: Row[*tuple[Any, ...]], proof: _Proof, changes: dict[int, list[dict[str, Any]]]) -> str | None:
    """What is wrong with an event; else the proof goes on to it."""
    event = (row.event_id, row.event_at, row.event_kind, row.event_decision_id, row.event_payload)
    facts = None
    if row.event_kind in DECIDING:
        if row.there is None:
            return f"decision {row.event_decision_id} was deleted"
        facts = _undone({name: getattr(row, name) for name in FACTS}, changes.get(row.there, []))
        if facts is None:
            return f"decision {row.there} was edited: it is not what its last event made of it"
        proof.decisions += 1
    if row.event_id != proof.end.event + 1:
        return f"events {proof.end.event + 1} to {row.event_id - 1} are missing"
    if row.event_digest != digest_of(proof.end.digest, event, facts):
        about = f", or decision {row.there}," if facts else ""
        return f"the event{about} was edited"
    if row.event_kind in _HOLDING:
        hold = _object(_object(row.event_payload).get(holding.HOLD))
        proof.holds[hold.get("id", 0)] = canonical(hold)
    proof.end = Head(row.event_id, row.event_digest)
    return None


def _undone(facts: dict[str, Any], changes: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The facts before these changes, the last of which comes first; None where they do not lead to the facts."""
    try:
        for change in changes:
            for name, (was, now) in change.items():
                if canonical(facts[name]) != canonical(now):
                    return None
                facts[name] = was
    except (KeyError, TypeError, ValueError):  # a payload that nobody of ours wrote
        return None
    return facts


def _changes(connection: Connection, decisions: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """What later events changed in these decisions, by decision, the last first."""
    found: dict[int, list[dict[str, Any]]] = {}
    later = select(*(_RAW[name] for name in ("decision_id", "payload"))).where(EventRow.kind.not_in(DECIDING))
    for chunk in chunks(decisions):
        here = later.where(EventRow.decision_id.in_(chunk)).order_by(EventRow.id.desc())
        for row in connection.execute(here):
            found.setdefault(row.event_decision_id, []).append(_object(_object(row.event_payload).get(CHANGED)))
    return found


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever stands in an edited column
    """A payload, or an object in one; empty where somebody put something else there."""
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {}


def _not_kept(end: Head, kept: Head | None) -> str | None:
    if kept and end.event == kept.event and end.digest != kept.digest:
        return f"the digest is {end.digest.hex()}, but the kept one is {kept.digest.hex()}: the ledger was written anew"
    return None


def _ends(connection: Connection, proof: _Proof, kept: Head | None) -> Iterator[Break]:
    """What can only be told when all events have been seen."""
    if kept and proof.end.event < kept.event:
        yield Break(None, f"the last event is {proof.end.event}, but event {kept.event} was kept: the end was cut off")
    if proof.end != head(connection):
        yield Break(None, "the last event is not where it should be")
    settled = select(func.count()).select_from(DecisionRow).where(DecisionRow.state != State.PLANNED)
    if (found := connection.scalars(settled).one()) != proof.decisions:
        yield Break(None, f"there are {found} decisions, but the events tell of {proof.decisions}")
    if {number: canonical(row) for number, row in holding.raw(connection).items()} != proof.holds:
        yield Break(None, "the holds are not those that the events tell of")
