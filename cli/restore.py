"""framekeep restore."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from cli.bars import say
from cli.days import day, midnight
from cli.options import ConfigOption, load_config, verb
from daemon.config.schema import Config
from daemon.restoring import restorable, restore_all
from daemon.sweep import place_of
from framekeep.errors import UsageError
from storage.ledger.answers import Held
from storage.names import printable
from storage.records import Place, VaultEntry

app = verb()

_PARTIAL: Final = 3
_NOTHING: Final = "the vault holds no original of it"


@app.command(epilog="Example: framekeep restore incoming/gate --since 7d --dry-run")
def restore(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Pictures, or folders with all in them.", readable=False),
    ] = None,
    *,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="Only this camera's.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Only what was replaced from this day on (UTC): 2026-03-01, or 7d."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only what was replaced before this day (UTC).")
    ] = None,
    decision: Annotated[
        int | None, typer.Option(metavar="N", help="Only what this decision replaced; decisions --json has numbers.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be restored.")] = False,
    config: ConfigOption = None,
) -> None:
    """Put originals back that the vault still holds.

    Bit for bit, the very files that the cameras wrote. A restored picture is left alone from then on. Works beside a
    running daemon.
    """
    if not paths and (camera, since, until, decision) == (None, None, None, None):
        raise UsageError("name what to restore: pictures, folders, --camera, --since, --until or --decision")
    settings = load_config(config)
    today = datetime.now(UTC).date()
    wanted = Held(
        below=tuple(place_of(settings, path) for path in paths or ()),
        roots=tuple(map(str, settings.watch.roots)),
        camera=camera,
        since=midnight(day(since, today)),
        until=midnight(day(until, today)),
        decision=decision,
    )
    entries = restorable(settings, wanted)
    missing = _tell_missing(wanted, entries)
    failed = _tell_what_would(entries) if dry_run else _restore(settings, entries)
    raise typer.Exit(_PARTIAL if missing or failed else 0)


def _tell_missing(wanted: Held, entries: Sequence[VaultEntry]) -> int:
    """How many of the paths that were named have nothing to restore."""
    found = [held.place for held in entries]
    missing = [place for place in wanted.below if not any(_is_below(here, place) for here in found)]
    for place in missing:
        typer.echo(f"{_name(place)} not restored: {_NOTHING}", err=True)
    if not wanted.below and not entries:
        typer.echo("nothing to restore: the vault holds no such original", err=True)
    return len(missing)


def _is_below(place: Place, wanted: Place) -> bool:
    inside = not wanted.path or place.path == wanted.path or place.path.startswith(f"{wanted.path}/")
    return place.root == wanted.root and inside


def _tell_what_would(entries: Sequence[VaultEntry]) -> int:
    for held in entries:
        typer.echo(f"{_name(held.place)} would be restored, {_sizes(held)}")
    more = sum(held.bytes_before - held.bytes_after for held in entries)
    typer.echo(f"{len(entries):,} pictures would be restored; they would be {more:,} bytes larger", err=True)
    return 0


def _restore(config: Config, entries: Sequence[VaultEntry]) -> int:
    """How many were not restored."""
    failed, console = 0, Console(stderr=True)
    with _bar(console, len(entries)) as advance:
        for held, fault in restore_all(config, entries):
            advance()
            failed += fault is not None
            if fault is None:
                say(console, f"{_name(held.place)} restored, {_sizes(held)}")
            else:
                say(console, f"{_name(held.place)} not restored: {printable(fault)}", err=True)
    return failed


@contextmanager
def _bar(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar where many are restored before somebody's eyes. Yields what moves it on."""
    seen = console.is_terminal and total > 1
    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(
        *columns, console=console, transient=True, expand=True, disable=not seen, redirect_stdout=False
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _name(place: Place) -> str:
    return printable(str(Path(place.root, place.path)))


def _sizes(held: VaultEntry) -> str:
    what = "" if held.generation == 1 else "as the variant before, since the camera's original is gone: "
    return f"{what}{held.bytes_before:,} bytes instead of {held.bytes_after:,}"
