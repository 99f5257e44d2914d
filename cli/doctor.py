"""framekeep doctor."""

import json
import time
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any, Final

import typer
from rich.text import Text

from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text
from cli.tables import cell, show, table
from daemon.checks.check import Check, State
from daemon.checks.examining import examine
from daemon.log import configure

app = verb()

_STYLES: Final = MappingProxyType({State.OK: "green", State.WARNING: "yellow", State.FAULT: "bold red"})


@app.command(epilog="Example: framekeep doctor --config /etc/framekeep/config.toml")
def doctor(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Check all that framekeep needs.

    Tells in a sentence what to do about each fault.

    Run it as the user that runs framekeep. Ends with the exit code of the first fault. With --json each line is an
    object.
    """
    configure("auto", "error")
    found = list(_told(examine(lambda: load_config(config), time.perf_counter), as_json=as_json))
    if not as_json:
        _show(found)
    raise typer.Exit(next((check.exit_code for check in found if check.state is State.FAULT), 0))


def _told(checks: Iterator[Check], *, as_json: bool) -> Iterator[Check]:
    """The same checks, printed as they come if JSON is wanted."""
    for check in checks:
        if as_json:
            typer.echo(json.dumps(_document(check)))
        yield check


def _document(check: Check) -> dict[str, Any]:
    return {"name": check.name, "state": str(check.state), "sentence": as_text(check.sentence)}


def _show(found: Sequence[Check]) -> None:
    shown = table("check", "state", "what was found")
    for check in found:
        shown.add_row(check.name, Text(check.state, _STYLES[check.state]), cell(check.sentence))
    show(shown)
