"""framekeep ledger: head, verify, backup, rebuild."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.proof import HeadOption, prove
from storage.ledger.opening import open_reader
from storage.names import printable

app = verb()

_PARTIAL: Final = 3


@app.callback(no_args_is_help=True)
def ledger() -> None:
    """Prove, copy or rebuild the ledger."""


@app.command(epilog="Example: framekeep ledger head")
def head(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Print the last event's number and digest.

    Sign it or keep it elsewhere: with it, "framekeep ledger verify --head" proves later that nothing before it was
    edited, removed or cut off.
    """
    with open_reader(load_config(config).ledger.url) as reader:
        end = reader.head()
    typer.echo(json.dumps({"event": end.event, "digest": end.digest.hex()}) if as_json else str(end))


@app.command(epilog='Example: framekeep ledger verify --head "$(cat kept-elsewhere)"')
def verify(
    *,
    head: HeadOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Prove that the ledger's events and decisions are as they were written.

    Ends with exit code 14 at the first that is not. Without --head nobody can tell whether the newest events were cut
    off, or all of them written anew.
    """
    prove(load_config(config).ledger.url, head, as_json=as_json)


@app.command(epilog="Example: framekeep ledger backup /var/backups/framekeep.sqlite")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy, which must not be there yet.")],
    *,
    config: ConfigOption = None,
) -> None:
    """Copy the ledger to another file.

    Works while the daemon runs. The copy is a ledger of its own, as of one moment.
    """
    with open_reader(load_config(config).ledger.url) as reader:
        reader.back_up(file)
    typer.echo(f"{printable(str(file))} written", err=True)


@app.command(epilog="Example: framekeep ledger rebuild --config /etc/framekeep/config.toml")
def rebuild(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Rebuild a ledger that is there; the old one stays beside it.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Make a lost ledger anew, from the vault and from the marks on the pictures.

    Afterwards originals in the vault can be restored and are released in time, and what was shrunk is not shrunk
    again. What no file tells is lost: kept pictures are looked at again, restored ones too, and legal holds have to be
    added again. So do that before a daemon starts.
    """
    from daemon.rebuilding import rebuild as rebuilt_from  # noqa: PLC0415 - the other commands need no configuration of pictures

    rebuilt = rebuilt_from(load_config(config), force=force)
    typer.echo(f"{rebuilt.held:,} originals in the vault are known again")
    typer.echo(f"{rebuilt.released:,} pictures are known by their marks alone: the vault holds no original of them")
    for fault in rebuilt.faults:
        typer.echo(f"not used: {fault}", err=True)
    typer.echo("legal holds and restored pictures were known to the old ledger alone: add holds again", err=True)
    raise typer.Exit(_PARTIAL if rebuilt.faults else 0)
