"""framekeep config: init, check, show."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigOption, chosen_config, load_config, verb
from daemon.checks.check import State
from daemon.checks.policies import check_hours, unknown_cameras
from daemon.config.faults import listed
from daemon.config.loading import defaults
from daemon.config.roots import check_roots
from daemon.config.showing import differences, dump, template
from framekeep.errors import ConfigurationError, UsageError
from storage.names import printable

app = verb()
_DEFAULT = Path("config.toml")


@app.callback(no_args_is_help=True)
def config() -> None:
    """Write, check or show the configuration."""


@app.command(epilog="Example: framekeep config init /etc/framekeep/config.toml")
def init(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Where to write it.")] = _DEFAULT,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a configuration file with all defaults and what they mean."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise UsageError(
            f"{path} is there already: --force overwrites it, with everything that you set in it"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"{printable(str(path))} written", err=True)


@app.command(epilog="Example: framekeep config check --config /etc/framekeep/config.toml")
def check(*, config: ConfigOption = None) -> None:
    """Tell everything that is wrong with it.

    That its roots are there is part of it, and so are the cameras that policies name; a daemon starts without these,
    since they may come and go. What may be meant so is told on standard error and no fault.
    """
    settings = load_config(config)
    check_roots(settings)
    for found in check_hours(settings):
        if found.state is State.WARNING:
            typer.echo(f"{found.name}: {printable(found.sentence)}", err=True)
    if faults := [printable(found.sentence) for found in unknown_cameras(settings)]:
        raise ConfigurationError(listed(_name(config), faults))
    typer.echo(f"{_name(config)} can be used")


@app.command(epilog="Example: framekeep config show --changed")
def show(
    *,
    changed: Annotated[bool, typer.Option("--changed", help="Only what differs from the defaults.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show what is configured, as TOML with absolute paths."""
    settings = load_config(config)
    typer.echo(differences(settings, defaults(_folder(config))) if changed else dump(settings), nl=False)


def _name(config: Path | None) -> str:
    file = chosen_config(config)
    return printable(str(file)) if file else "the built-in defaults"


def _folder(config: Path | None) -> Path:
    """Where relative paths begin."""
    file = chosen_config(config)
    return file.absolute().parent if file else Path.cwd()
