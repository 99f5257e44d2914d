"""From drafts to rows: kept pictures and planned replacements. All within the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert

from framekeep.reasons import Standing
from storage.ledger.events import Happened, Kind, append
from storage.ledger.files import file_numbers, identity_values, settle_files
from storage.ledger.interning import Numbers
from storage.ledger.lookups import known
from storage.ledger.schema import DecisionRow, PlanRow, State
from storage.ledger.succeeding import may_succeed
from storage.ledger.totals import count
from storage.records import Draft, Known

NOTHING_CHANGED: Final[dict[str, Any]] = dict.fromkeys(
    ("rung", "quality", "sha256_after", "evidence_after", "regions", "vault_entry", "release_at")
)
"""A kept picture's share of the row. With a `sha256_after` its content would pass for one that framekeep wrote."""
_DECISIONS: Final = insert(DecisionRow).returning(DecisionRow.id, sort_by_parameter_order=True)
_PLANS: Final = insert(PlanRow)


def record(connection: Connection, numbers: Numbers, drafts: Sequence[Draft], at: datetime) -> list[int]:
    standing = _standing(connection, drafts)
    decisions = [_repeated(draft, standing) for draft in drafts]
    fresh = [draft for draft, decision in zip(drafts, decisions, strict=True) if decision is None]
    recorded = _record(connection, numbers, fresh)
    append(connection, at, [Happened(Kind.KEPT, decision) for decision in recorded])
    new = iter(recorded)
    return [next(new) if decision is None else decision for decision in decisions]


def plan_next(connection: Connection, numbers: Numbers, draft: Draft) -> int | None:
    """The number of a decision that is to take another one's place; None where its source is not to be had."""
    if not may_succeed(connection, draft):
        return None
    (decision,) = plan(connection, numbers, [draft])
    return decision


def _standing(connection: Connection, drafts: Sequence[Draft]) -> dict[tuple[str, str], Known]:
    """What is known of the drafts that must not be repeated, by root and path."""
    places = [draft.place for draft in drafts if draft.reason.standing is not Standing.FINAL]
    return {
        (root, path): fact
        for root in {place.root for place in places}
        for path, fact in known(connection, root, [place.path for place in places if place.root == root]).items()
    }


def _repeated(draft: Draft, standing: dict[tuple[str, str], Known]) -> int | None:
    """The decision that says already what the draft says."""
    fact = standing.get((draft.place.root, draft.place.path))
    if fact and (fact.reason, fact.fingerprint, fact.identity) == (
        draft.reason,
        draft.settings.fingerprint,
        draft.identity,
    ):
        return fact.decision
    return None


def _record(connection: Connection, numbers: Numbers, drafts: Sequence[Draft]) -> list[int]:
    files, decisions = _insert(connection, numbers, drafts, State.CONFIRMED)
    identities = [draft.identity for draft in drafts]
    settle_files(connection, zip(files, identities, decisions, strict=True))
    count(connection, decisions)
    return decisions


def plan(connection: Connection, numbers: Numbers, drafts: Sequence[Draft]) -> list[int]:
    _, decisions = _insert(connection, numbers, drafts, State.PLANNED)
    plans = [
        {"decision_id": decision, **identity_values(draft.identity)}
        for decision, draft in zip(decisions, drafts, strict=True)
    ]
    if plans:
        connection.execute(_PLANS, plans)
    return decisions


def _insert(
    connection: Connection, numbers: Numbers, drafts: Sequence[Draft], state: State
) -> tuple[list[int], list[int]]:
    """The numbers of the drafts' files and of their decisions."""
    if not drafts:
        return [], []
    files = file_numbers(connection, numbers, drafts)
    rows = [
        {"file_id": file, "state": state, **_shared(connection, numbers, draft), **_own(draft)}
        for file, draft in zip(files, drafts, strict=True)
    ]
    inserted = connection.scalars(_DECISIONS, rows)
    return files, list(inserted)


def _shared(connection: Connection, numbers: Numbers, draft: Draft) -> dict[str, int | None]:
    return {
        "settings_id": numbers.settings(connection, draft.settings),
        "environment_id": numbers.environment(connection, draft),
        "reason_id": numbers.reason(connection, draft.reason),
        "label_id": numbers.label(connection, draft.label),
    }


def _own(draft: Draft) -> dict[str, Any]:
    return {
        "decided_at": draft.decided_at,
        "bytes_before": draft.identity.size,
        "sha256_before": draft.sha256_before,
        "probability": draft.probability,
        "evidence_before": draft.evidence_before,
        "missed_by_watcher": draft.missed_by_watcher,
        "succeeds": draft.succeeds,
        "generation": draft.generation,
        "bytes_delivered": draft.delivered,
        "note": draft.note,
        "ms_read": draft.timings.read,
        "ms_climb": draft.timings.climb,
        "ms_look": draft.timings.look,
        "ms_write": draft.timings.write,
        **_change(draft),
    }


def _change(draft: Draft) -> dict[str, Any]:
    if draft.reason.standing is not Standing.REPLACED:
        return {"bytes_after": draft.identity.size, **NOTHING_CHANGED}
    return {
        "bytes_after": draft.bytes_after,
        "rung": draft.rung,
        "quality": draft.quality,
        "sha256_after": draft.sha256_after,
        "evidence_after": draft.evidence_after,
        "regions": draft.regions,
        "vault_entry": draft.vault_entry,
        "release_at": draft.decided_at + timedelta(days=draft.vault_days),
    }
