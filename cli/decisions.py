"""framekeep decisions."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from cli.days import day, midnight
from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text, path_fields
from cli.tables import cell, show, size, table
from framekeep.errors import UsageError
from framekeep.reasons import Reason
from storage.ledger.answers import Decision, Wanted
from storage.ledger.opening import open_reader
from storage.ledger.schema import State

app = verb()

_LIMIT: Final = 20
_SIZES: Final = ("before", "after")


@app.command(epilog="Example: framekeep decisions --camera gate --reason would_not_shrink --since 7d")
def decisions(
    *,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="Only this camera's.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="WORD", help="Only those with this reason.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="From this day on (UTC): 2026-03-01, or 7d for seven days ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Up to this day, which is not included.")] = None,
    path: Annotated[
        str | None,
        typer.Option(metavar="GLOB", help="Only paths below a root that this matches; * matches slashes, too."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "--last", metavar="N", min=1, help="At most so many.")] = _LIMIT,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List decisions, newest first.

    With --json each line is an object.
    """
    today = datetime.now(UTC).date()
    first, last = midnight(day(since, today)), midnight(day(until, today))
    wanted = Wanted(first, last, camera, _reason(reason), path, limit)
    with open_reader(load_config(config).ledger.url) as reader:
        found = reader.decisions(wanted)
        shown = _print_rows(found) if as_json else _show(found)
    if not shown:
        typer.echo("no decision matches", err=True)
    elif shown == limit:
        typer.echo(f"not more than the newest {limit} are shown: --limit N shows more", err=True)


def _reason(word: str | None) -> Reason | None:
    try:
        return Reason.of(word) if word else None
    except KeyError:
        known = ", ".join(reason.word for reason in Reason)
        raise UsageError(f"{word!r} is no reason; known are {known}") from None


def _print_rows(found: Iterator[Decision]) -> int:
    count = 0
    for count, decision in enumerate(found, 1):  # noqa: B007 - what is counted is told at the end
        typer.echo(json.dumps(_row(decision)))
    return count


def _row(decision: Decision) -> dict[str, Any]:
    return {
        **path_fields(decision.place.path),
        "root": as_text(decision.place.root),
        "camera": as_text(decision.place.camera),
        "keeper": decision.keeper,
        "rung": decision.rung,
        "quality": decision.quality,
        "reason": decision.reason.word,
        "bytes_before": decision.bytes_before,
        "bytes_after": decision.bytes_after,
        "sha256_before": decision.sha256_before,
        "sha256_after": decision.sha256_after,
        "label": decision.label,
        "model": decision.model,
        "decided_at": decision.decided_at.isoformat(),
        "number": decision.number,
        "generation": decision.generation,
        "state": decision.state.name.lower(),
        "standing": str(decision.reason.standing),
        "note": as_text(decision.note),
        "probability": decision.probability,
        "objects": _objects_in(decision.evidence_before),
        "min_confidence": decision.min_confidence,
        "ladder": decision.ladder,
        "device": decision.device,
        "versions": decision.versions,
        "missed_by_watcher": decision.missed_by_watcher,
        "vault_entry": decision.vault_entry,
        "release_at": _iso(decision.release_at),
        "released_at": _iso(decision.released_at),
        "timings": {f"{stage}_ms": milliseconds for stage, milliseconds in asdict(decision.timings).items()},
    }


def _objects_in(evidence: str | None) -> dict[str, int] | None:
    """How many objects of each class were found; None where no detector looked."""
    objects = json.loads(evidence or "{}").get("objects")
    return None if objects is None else dict(Counter(label for label, *_ in objects))


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _show(found: Iterator[Decision]) -> int:
    shown = table("decided (UTC)", "path", "outcome", *_SIZES, "label", right=_SIZES)
    for decision in found:
        shown.add_row(
            f"{decision.decided_at:%Y-%m-%d %H:%M}",
            cell(decision.place.path),
            _outcome(decision),
            size(decision.bytes_before),
            size(decision.bytes_after),
            cell(decision.label or ""),
        )
    show(shown)
    return shown.row_count


def _outcome(decision: Decision) -> str:
    """The rung, or the reason where there is none: each tells the other."""
    outcome = decision.rung or decision.reason.word
    return f"{outcome} undone" if decision.state is State.UNDONE else outcome
