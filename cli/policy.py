"""framekeep policy: explain."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text, path_fields
from cli.tables import cell, facts, show, table
from daemon.config.origins import Value
from daemon.config.staging import PolicyBlock
from daemon.policy_explaining import Now, PolicyExplained, explain_policy
from daemon.sweep import picture_of

app = verb()


@app.callback(no_args_is_help=True)
def policy() -> None:
    """Show what policies mean."""


@app.command(epilog="Example: framekeep policy explain incoming/gate/0001.jpg")
def explain(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A picture below a root; it need not exist.", readable=False)
    ],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show which policy holds for a picture, and all that follows from it.

    Tells which block of the configuration matches its path and which do not, where each value comes from, and whether
    age, working hours or exclusion keep it from being shrunk now. Reads neither the picture nor the ledger, so it knows
    nothing of holds, or of what was decided before.
    """
    settings = load_config(config)
    place = picture_of(settings, path)
    answer = explain_policy(settings, place, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(document(answer, settings.holds.timezone)))
    else:
        show_policy(answer, settings.holds.timezone)


def document(answer: PolicyExplained, timezone: str) -> dict[str, Any]:
    now = answer.now
    return {
        **path_fields(answer.place.path),
        "root": as_text(answer.place.root),
        "camera": as_text(answer.place.camera),
        "policy": None if answer.index is None else _block(answer.index, answer.blocks[answer.index]),
        "passed": [_block(index, block) for index, block in enumerate(answer.passed)],
        "values": {
            value.key: {"value": value.value, "from": value.origin, "is_default": value.is_default}
            for value in answer.values
        },
        "now": {
            "at": now.at.isoformat(),
            "exists": now.exists,
            "watched": now.is_watched,
            "excluded": now.is_excluded,
            "timezone": timezone,
            "outside_hours": now.is_outside_hours,
            "hours_change_at": _iso(now.hours_change_at),
            "too_young_until": _iso(now.too_young_until),
            "stage_from_days": now.stage.from_days if now.stage else None,
            "shrunk": now.is_shrunk,
        },
    }


def _block(index: int, block: PolicyBlock) -> dict[str, Any]:
    return {"number": index + 1, "match": list(block.match)}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def show_policy(answer: PolicyExplained, timezone: str) -> None:
    shown = facts()
    shown.add_row("picture", cell(f"{answer.place.root}/{answer.place.path}"))
    shown.add_row("camera", cell(answer.place.camera))
    if answer.index is None:
        shown.add_row("policy", f"none of {len(answer.blocks)} matches" if answer.blocks else "none is configured")
    else:
        shown.add_row("policy", cell(_named(answer.index, answer.blocks[answer.index])))
    for index, block in enumerate(answer.passed):
        shown.add_row("" if index else "no match", cell(_named(index, block)))
    for number, sentence in enumerate(_sentences(answer.now, timezone)):
        shown.add_row("" if number else "now", cell(sentence))
    show(shown)
    typer.echo()
    values = table("key", "value", "from")
    for value in answer.values:
        values.add_row(value.key, cell(_plain(value)), cell(f"{value.origin}{_default(value)}"))
    show(values)


def _named(index: int, block: PolicyBlock) -> str:
    return f"#{index + 1}: {', '.join(block.match)}"


def _default(value: Value) -> str:
    return ", default" if value.is_default and value.origin != "default" else ""


def _plain(value: Value) -> str:
    """As the configuration has it, without quotes."""
    if value.key == "stage":
        return "; ".join(map(_stage, value.value or ())) or "none"
    if isinstance(value.value, bool):
        return str(value.value).lower()
    if isinstance(value.value, list):
        return ", ".join(map(str, value.value)) or "all"
    return f"{value.value:g}" if isinstance(value.value, float) else str(value.value)


def _stage(stage: dict[str, Any]) -> str:
    """Such as "from 30 days: ladder fine, regions 60"."""
    changes = (f"{key} {given}" for key, given in stage.items() if key != "from_days" and given is not None)
    return f"from {stage['from_days']:g} days: {', '.join(changes)}"


def _sentences(now: Now, timezone: str) -> Iterator[str]:
    """Everything that keeps the picture from being shrunk, or that nothing does."""
    zone = now.hours.zone
    if not now.exists:
        yield "nothing is there yet"
    if not now.is_watched:
        yield "not a picture by its name: [watch] include and ignore"
    if now.is_excluded:
        yield "excluded: it is not read"
        return
    if now.too_young_until:
        yield f"too young until {_local(now.too_young_until, zone)}"
    if now.is_outside_hours:
        yield f"outside working hours {_until(now.hours_change_at, zone)} ({timezone})"
    if now.stage and now.stage.from_days:
        yield f"its age has reached the stage from {now.stage.from_days:g} days"
    if now.exists and now.is_shrunk:
        yield "nothing here keeps it from being shrunk"
    if now.hours_change_at and not now.is_outside_hours:
        yield f"within working hours {_until(now.hours_change_at, zone)} ({timezone})"


def _until(moment: datetime | None, zone: tzinfo) -> str:
    return f"until {_local(moment, zone)}" if moment else "for good"


def _local(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
