"""Decisions as people read them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, cast, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from framekeep.reasons import Reason
from storage.ledger.answers import Decision, Wanted
from storage.ledger.columns import PathBytes
from storage.ledger.lookups import chunks
from storage.ledger.schema import (
    CameraRow,
    DecisionRow,
    EnvironmentRow,
    FileRow,
    LabelRow,
    ReasonRow,
    RootRow,
    SettingsRow,
    State,
)
from storage.records import Place, Timings

_ROWS_AT_ONCE: Final = 500


def newest(connection: Connection, wanted: Wanted) -> Iterator[Decision]:
    question = _columns().where(*_conditions(wanted))
    question = question.order_by(DecisionRow.decided_at.desc(), DecisionRow.id.desc()).limit(wanted.limit)
    for row in connection.execute(question.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield _decision(row)


def numbered(connection: Connection, numbers: Sequence[int]) -> dict[int, Decision]:
    """These decisions, by their numbers."""
    rows = (row for chunk in chunks(numbers) for row in connection.execute(_columns().where(DecisionRow.id.in_(chunk))))
    return {row.id: _decision(row) for row in rows}


def _columns() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *DecisionRow.__table__.c,
            RootRow.path.label("root"),
            FileRow.path,
            *(SettingsRow.keeper, SettingsRow.min_confidence, SettingsRow.ladder),
            *(SettingsRow.model, SettingsRow.model_digest, SettingsRow.objects),
            *(SettingsRow.region_rule, SettingsRow.stage),
            ReasonRow.word,
            LabelRow.name.label("label"),
            *(EnvironmentRow.device, EnvironmentRow.versions),
        )
        .join_from(DecisionRow, FileRow)
        .join(CameraRow)
        .join(RootRow)
        .join(SettingsRow)
        .join(ReasonRow)
        .join(EnvironmentRow)
        .outerjoin(LabelRow)
    )


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield DecisionRow.state != State.PLANNED
    if wanted.since:
        yield DecisionRow.decided_at >= wanted.since
    if wanted.until:
        yield DecisionRow.decided_at < wanted.until
    if wanted.camera is not None:
        yield CameraRow.name == wanted.camera
    if wanted.reason:
        yield ReasonRow.word == wanted.reason.word
    if wanted.path is not None:
        yield _matches(wanted.path)


def _matches(pattern: str) -> ColumnElement[bool]:
    if set(pattern).isdisjoint("*?["):
        return FileRow.path == pattern  # which an index finds
    return _as_text(FileRow.path).op("GLOB", is_comparison=True)(_as_text(literal(pattern, PathBytes)))


def _as_text(path: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Many builds of SQLite match no bytes; as text they match, UTF-8 or not."""
    return cast(path, Text)


def _decision(row: Row[*tuple[Any, ...]]) -> Decision:
    return Decision(
        number=row.id,
        place=Place(row.root, row.path),
        state=State(row.state),
        keeper=row.keeper,
        min_confidence=row.min_confidence,
        ladder=row.ladder,
        model=row.model,
        model_digest=row.model_digest,
        rung=row.rung,
        quality=row.quality,
        reason=Reason.of(row.word),
        bytes_before=row.bytes_before,
        bytes_after=row.bytes_after,
        sha256_before=_hex(row.sha256_before),
        sha256_after=_hex(row.sha256_after or row.sha256_before),
        label=row.label,
        probability=row.probability,
        objects=row.objects,
        evidence_before=row.evidence_before,
        evidence_after=row.evidence_after,
        regions=row.regions,
        region_rule=row.region_rule,
        decided_at=row.decided_at,
        device=row.device,
        versions=row.versions,
        vault_entry=row.vault_entry,
        release_at=row.release_at,
        released_at=row.released_at,
        missed_by_watcher=row.missed_by_watcher,
        note=row.note,
        stage=row.stage,
        succeeds=row.succeeds,
        generation=row.generation,
        timings=Timings(row.ms_read, row.ms_climb, row.ms_look, row.ms_write),
    )


def _hex(sha256: bytes | None) -> str | None:
    return None if sha256 is None else sha256.hex()
