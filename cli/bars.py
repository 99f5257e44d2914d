"""Lines beside a progress bar: they go above it, where bar and lines are on one terminal."""

import sys

import typer
from rich.console import Console
from rich.text import Text


def say(console: Console, text: str, *, err: bool = False) -> None:
    """Prints a line on standard output or error. `console` shows the bar, if there is one, on standard error.

    What typer prints would go past rich, right behind the bar.
    """
    if console.is_terminal and (err or sys.stdout.isatty()):
        console.print(Text(text), soft_wrap=True)
    else:
        typer.echo(text, err=err)
