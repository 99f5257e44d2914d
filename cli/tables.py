"""Tables for people: as wide as the terminal, or in full where a program or a file reads them."""

import io
import sys
from typing import Final

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from storage.names import printable

_UNBOUNDED: Final = 100_000
"""Columns: nothing is wider."""


def table(*headers: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns named in `right` hold numbers, which are never folded."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        if header in right:
            made.add_column(header, justify="right", no_wrap=True)
        else:
            made.add_column(header, overflow="fold")
    return made


def facts() -> Table:
    """An empty table of names and what is to be said of each."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    return made


def cell(text: str) -> Text:
    """Text of unknown origin: neither markup nor a terminal's escapes."""
    return Text(printable(text))


def show(made: Table) -> None:
    """Prints a table on standard output."""
    if sys.stdout.isatty():
        Console().print(made)
        return
    lines = io.StringIO()
    Console(file=lines, width=_UNBOUNDED).print(made)
    for line in lines.getvalue().splitlines():
        typer.echo(line.rstrip())


def size(count: int) -> str:
    """Bytes for people: "1.2 MB"."""
    return decimal(count)


def ratio(before: int, after: int) -> str:
    """How many times smaller: "5.08x"."""
    return f"{before / after:.2f}x" if after else "1.00x"
