"""framekeep release."""

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from cli.options import ConfigOption, load_config, verb
from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.log import configure
from daemon.releasing import Released, release_due
from storage.ledger.opening import open_reader, open_writer
from storage.root import Root

app = verb()

_PARTIAL: Final = 3


@app.command(epilog="Example: framekeep release --dry-run")
def release(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be deleted.")] = False,
    config: ConfigOption = None,
) -> None:
    """Delete the originals whose time in the vault is over.

    That frees what their replacements saved. The daemon does it by itself, every hour.
    """
    settings = load_config(config)
    configure(settings.service.log_format, "warning")
    now = datetime.now(UTC)
    due = _due(settings, now)
    typer.echo(f"due: {due.originals:,} originals, {due.bytes:,} bytes")
    if dry_run:
        return
    done = _released(settings, now)
    typer.echo(f"deleted: {done.originals:,} originals, {done.bytes:,} bytes")
    if left := _due(settings, now).originals:
        typer.echo(f"not deleted: {left:,} originals; the log above says why", err=True)
        raise typer.Exit(_PARTIAL)


def _due(config: Config, now: datetime) -> Released:
    """What a release would delete."""
    with open_reader(config.ledger.url) as reader:
        return Released(*reader.due(now, [str(path) for path in config.watch.roots]))


def _released(config: Config, now: datetime) -> Released:
    check_roots(config)
    with ExitStack() as held:
        roots = {str(path): held.enter_context(Root(str(path))) for path in config.watch.roots}
        writer = held.enter_context(open_writer(config.ledger.url))
        return release_due(writer, roots, now)
