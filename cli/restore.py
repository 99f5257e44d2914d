"""framekeep restore."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.options import ConfigOption, load_config, verb
from daemon.restoring import restore_all
from daemon.sweep import place_of
from storage.names import printable

app = verb()

_PARTIAL: Final = 3


@app.command(epilog="Example: framekeep restore incoming/gate/0001.jpg incoming/gate/0002.jpg")
def restore(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures below a root.", readable=False)],
    *,
    config: ConfigOption = None,
) -> None:
    """Put originals back that the vault still holds.

    A restored picture is left alone from then on.
    """
    settings = load_config(config)
    places = dict(zip((place_of(settings, path) for path in paths), paths, strict=True))
    failed = False
    for place, outcome in restore_all(settings, list(places)):
        name = printable(str(places[place]))
        if isinstance(outcome, str):
            failed = True
            typer.echo(f"{name} not restored: {printable(outcome)}", err=True)
        else:
            typer.echo(f"{name} restored, {outcome.bytes_before:,} bytes instead of {outcome.bytes_after:,}")
    raise typer.Exit(_PARTIAL if failed else 0)
