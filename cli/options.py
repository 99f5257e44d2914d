"""Options that many verbs share."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from daemon.config.loading import load
from daemon.config.schema import Config

SYSTEM_CONFIG: Final = Path("/etc/framekeep/config.toml")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="FRAMEKEEP_CONFIG",
        help=f"Configuration file. Without it: {SYSTEM_CONFIG} if there is one, else the built-in defaults.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def load_config(path: Path | None) -> Config:
    """The configuration that a verb works with. Raises ConfigurationError."""
    if path is None and SYSTEM_CONFIG.exists():
        path = SYSTEM_CONFIG
    return load(path, os.environ)
