"""framekeep report."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from cli.days import day
from cli.options import ConfigOption, JsonOption, load_config, verb
from framekeep.errors import UsageError
from storage.records import By

app = verb()

Grouping = Literal[By, "class"]


@app.command(epilog="Example: framekeep report --by camera --since 30d")
def report(
    *,
    by: Annotated[Grouping | None, typer.Option(help="One line for each of these instead of one for all.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="From this day on (UTC): 2026-03-01, or 7d for seven days ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Up to this day, which is not included.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what was decided, saved and freed.

    What a replacement saves is free only when the vault has released its original.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other: choose one")
    from cli.report_answer import ask, document, show_report, write_csv  # noqa: PLC0415 - takes a third of a second

    today = datetime.now(UTC).date()
    first, end = day(since, today), day(until, today)
    if first and end and first >= end:
        raise UsageError(f"no day lies between --since {first} and --until {end}, which is not included")
    answer = ask(load_config(config).ledger.url, by, (first, end))
    if as_json:
        typer.echo(json.dumps(document(answer)))
    elif as_csv:
        write_csv(answer)
    else:
        show_report(answer)
