"""The command line: one verb a file, imported only when it is asked for, so that reading commands start at once."""

import errno
import gc
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

import typer
from typer.core import TyperGroup

from framekeep import __version__
from framekeep.errors import FramekeepError

VERBS: Final = MappingProxyType(
    {
        "run": "cli.run",
        "sweep": "cli.sweep",
        "forecast": "cli.forecast",
        "status": "cli.status",
        "report": "cli.report",
        "decisions": "cli.decisions",
        "explain": "cli.explain",
        "restore": "cli.restore",
        "release": "cli.release",
        "verify": "cli.verify",
        "resume": "cli.resume",
        "policy": "cli.policy",
        "hold": "cli.hold",
        "custody": "cli.custody",
        "ledger": "cli.ledger",
        "config": "cli.config",
        "doctor": "cli.doctor",
        "models": "cli.models",
        "study": "cli.study",
    }
)
"""Each verb's module, which holds a Typer application called `app`."""


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system answers to whoever prints to a file on a full disk. It names no file then."""


class _Verbs(TyperGroup):
    def list_commands(self, _ctx: Any) -> list[str]:  # noqa: ANN401 - typer's own context class has moved before
        return list(VERBS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - as above
        if cmd_name not in VERBS:
            return None
        command = typer.main.get_command(importlib.import_module(VERBS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Verbs, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"framekeep {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=False)
def framekeep(
    *,
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Shrinks camera archives without changing what a neural network sees in them."""


def main() -> None:
    """Runs the command line and leaves with its documented exit code."""
    code = run(None)
    gc.freeze()  # all goes with the process: to look for garbage in what PyTorch made takes a second and a half
    if any(thread.name.startswith("codec") for thread in threading.enumerate()):
        os._exit(code)  # a thread inside a decoder cannot be stopped, and an ordinary exit would wait for it
    sys.exit(code)


def run(arguments: Sequence[str] | None) -> int:
    """Runs a command line (None: this process's). Returns the exit code.

    That is 1 for a bug, whose trace is shown, and for a full disk behind the output.
    """
    try:
        app(arguments, prog_name="framekeep")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except FramekeepError as error:
        typer.echo(f"framekeep: {error}", err=True)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a bug: the trace is what its finder needs
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            typer.echo(f"framekeep: what there is to tell could not be written: {error.strerror}", err=True)
        else:
            traceback.print_exc()
        return 1
    return 0
