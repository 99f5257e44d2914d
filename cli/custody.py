"""framekeep custody."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.holds import document
from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text, path_fields
from cli.tables import cell, facts, show
from daemon.holding import covering
from daemon.sweep import picture_of
from storage.ledger.answers import Told
from storage.ledger.events import BY, CHANGED
from storage.ledger.opening import open_reader
from storage.records import Hold, Place

app = verb()


@app.command(epilog="Example: framekeep custody incoming/gate/0001.jpg --json")
def custody(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A picture below a root.", readable=False)],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show a picture's whole history.

    What was done to it, when, by which rule and by whom, and which holds cover it.

    "framekeep ledger verify" proves that the ledger, which tells it, is as it was written.
    """
    settings = load_config(config)
    place = picture_of(settings, path)
    with open_reader(settings.ledger.url) as reader:
        told, holds = reader.history(place), covering(settings, reader, place)
    if as_json:
        typer.echo(json.dumps(_document(place, told, holds)))
        return
    for one in told:
        _show_event(one)
    for hold in holds:
        _show_hold(hold)
    if not told:
        typer.echo("the ledger knows of no decision about this picture", err=True)


def _document(place: Place, told: Sequence[Told], holds: Sequence[Hold]) -> dict[str, Any]:
    return {
        **path_fields(place.path),
        "root": as_text(place.root),
        "camera": as_text(place.camera),
        "events": [_event(one) for one in told],
        "holds": [document(hold) for hold in holds],
    }


def _event(told: Told) -> dict[str, Any]:
    event, decision = told.event, told.decision
    payload = json.loads(event.payload)
    return {
        "number": event.number,
        "at": event.at.isoformat(),
        "event": event.kind,
        "by": payload.get(BY),
        "digest": event.digest,
        "decision": decision.number,
        "decided_at": decision.decided_at.isoformat(),
        "reason": decision.reason.word,
        "rung": decision.rung,
        "sha256_before": decision.sha256_before,
        "sha256_after": decision.sha256_after,
        "bytes_before": decision.bytes_before,
        "bytes_after": decision.bytes_after,
        "label": decision.label,
        "evidence_before": _evidence(decision.evidence_before),
        "evidence_after": _evidence(decision.evidence_after),
        "regions": _evidence(decision.regions),
        "keeper": decision.keeper,
        "object_rule": _evidence(decision.objects),
        "region_rule": _evidence(decision.region_rule),
        "min_confidence": decision.min_confidence,
        "ladder": decision.ladder,
        "stage_days": decision.stage,
        "succeeds": decision.succeeds,
        "generation": decision.generation,
        "model": decision.model,
        "model_digest": decision.model_digest,
        "versions": decision.versions,
        "note": as_text(decision.note),
        "details": {name: value for name, value in payload.items() if name not in {BY, CHANGED}},
    }


def _evidence(words: str | None) -> Any:  # noqa: ANN401 - whatever JSON it is
    return json.loads(words) if words else None


def _show_event(told: Told) -> None:
    """The facts of a decision where it was made; later events only name it."""
    event = _event(told)
    typer.echo(f"{told.event.at.isoformat(sep=' ', timespec='seconds')}  {event['event']}{_by(event)}")
    shown = facts()
    for name in _told_of(event):
        shown.add_row(f"  {name}", cell(str(event[name])))
    show(shown)


def _by(event: dict[str, Any]) -> str:
    return f" by {event['by']}" if event["by"] else ""


def _told_of(event: dict[str, Any]) -> list[str]:
    names = ["decision", "reason", "note", "details"]
    if event["event"] in {"kept", "replaced", "abandoned"}:
        names[2:2] = ["rung", "sha256_before", "sha256_after", "bytes_before", "bytes_after", "label"]
        names += [
            "evidence_before",
            "evidence_after",
            "regions",
            "keeper",
            "object_rule",
            "region_rule",
            "min_confidence",
            "ladder",
            *(["stage_days", "succeeds"] if event["stage_days"] else []),
            *(["generation"] if event["generation"] > 1 else []),
            "model",
            "model_digest",
            "versions",
        ]
    return [name for name in names if event[name] not in (None, "", {})]


def _show_hold(hold: Hold) -> None:
    until = f", removed {_day(hold.removed_at)}: {hold.removed_reason}" if hold.removed_at else ""
    case = f", case {hold.claim.case_number}" if hold.claim.case_number else ""
    typer.echo(cell(f"held since {_day(hold.added_at)} by hold {hold.number}: {hold.claim.reason}{case}{until}").plain)


def _day(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds")
