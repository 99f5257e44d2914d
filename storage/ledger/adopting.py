"""Replacements that another ledger knew, as their sidecars and marks tell of them. Within the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from storage.files import FileIdentity
from storage.ledger import journal, outcomes
from storage.ledger.interning import Numbers
from storage.records import Draft


def adopt(
    connection: Connection, numbers: Numbers, adopted: Sequence[tuple[Draft, FileIdentity]], at: datetime
) -> None:
    decisions = journal.plan(connection, numbers, [draft for draft, _ in adopted])
    identities = [identity for _, identity in adopted]
    outcomes.confirm(connection, list(zip(decisions, identities, strict=True)), at)
