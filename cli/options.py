"""Options that many verbs share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from framekeep.errors import UsageError

if TYPE_CHECKING:
    from daemon.config.schema import Config

SYSTEM_CONFIG: Final = Path("/etc/framekeep/config.toml")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="FRAMEKEEP_CONFIG",
        help=f"Configuration file. Without it: {SYSTEM_CONFIG} if there is one, else the built-in defaults.",
        show_default=False,
        readable=False,  # asking access(2) first would forget the capabilities that a service has; reading tells
    ),
]
AcceptModelOption = Annotated[
    bool,
    typer.Option("--accept-model", help="Take a model that is not the one that its name meant before; say so once."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def verb() -> typer.Typer:
    """An application for a verb, whose help looks as that of framekeep itself."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


def chosen_config(path: Path | None) -> Path | None:
    """The configuration file that holds; None: the built-in defaults."""
    return SYSTEM_CONFIG if path is None and SYSTEM_CONFIG.exists() else path


def load_config(path: Path | None) -> "Config":
    """The configuration that a verb works with. Raises ConfigurationError."""
    from daemon.config.loading import load  # noqa: PLC0415 - --help needs no configuration, which is slow to import

    return load(chosen_config(path), os.environ)


def check_reason(reason: str) -> None:
    """Raises UsageError for one that says nothing."""
    if not reason.strip():
        raise UsageError("--reason is empty: say why, so that others can read later why it was right")
