"""framekeep release."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from cli.options import ConfigOption, load_config, verb
from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.following import follow_deletes, orphans
from daemon.log import configure
from daemon.releasing import Released, Vaults, due_now, release_due
from storage.holds import HoldBook
from storage.ledger.opening import known_roots, open_reader, open_writer
from storage.records import VaultEntry
from storage.root import Root, Tree

app = verb()

_PARTIAL: Final = 3


@app.command(epilog="Example: framekeep release --dry-run")
def release(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be deleted.")] = False,
    config: ConfigOption = None,
) -> None:
    """Delete the originals whose time in the vault is over.

    That frees what their replacements saved. The daemon does it by itself, every hour. Originals of pictures that
    somebody deleted go too, unless [vault] follow_deletes is false.
    """
    settings = load_config(config)
    configure(settings.service.log_format, "warning")
    now = datetime.now(UTC)
    due = _due(settings, now)
    typer.echo(f"due: {due.originals:,} originals, {due.bytes:,} bytes")
    if due.held:
        typer.echo(f"held: {due.held:,} originals, which stay as long as a legal hold covers them", err=True)
    deleted = _of_deleted_pictures(settings, now)
    if deleted:
        size = sum(held.bytes_before for held in deleted)
        typer.echo(f"of deleted pictures: {len(deleted):,} originals, {size:,} bytes")
    if dry_run:
        return
    done = _released(settings, now, deleted)
    typer.echo(f"deleted: {done.originals:,} originals, {done.bytes:,} bytes")
    if done.set_aside:
        typer.echo(f"set aside: {done.set_aside:,} originals that had changed: see .framekeep/strangers", err=True)
    if left := _due(settings, now).originals:
        typer.echo(f"not deleted: {left:,} originals; the log above says why", err=True)
    raise typer.Exit(_PARTIAL if left or done.set_aside else 0)


def _due(config: Config, now: datetime) -> Released:
    """What a release would delete."""
    with open_reader(config.ledger.url) as reader, ExitStack() as held:
        trees = {str(path): held.enter_context(Tree(str(path))) for path in config.watch.roots}
        return due_now(reader, trees, HoldBook(reader, config.holds.rules), now)


def _of_deleted_pictures(config: Config, now: datetime) -> list[VaultEntry]:
    """Those that are not due anyway."""
    if not config.vault.follow_deletes:
        return []
    with open_reader(config.ledger.url) as reader, ExitStack() as held:
        trees = {str(path): held.enter_context(Tree(str(path))) for path in config.watch.roots}
        return [entry for entry in orphans(reader, trees) if entry.release_at > now]


def _released(config: Config, now: datetime, deleted: Sequence[VaultEntry]) -> Released:
    check_roots(config)
    with ExitStack() as held:
        known = known_roots(config.ledger.url)
        roots = {str(path): held.enter_context(Root(str(path), known)) for path in config.watch.roots}
        writer = held.enter_context(open_writer(config.ledger.url))
        writer.know_roots(roots)
        reader = held.enter_context(open_reader(config.ledger.url))
        vaults = Vaults(roots, HoldBook(reader, config.holds.rules))
        return release_due(writer, vaults, now) + follow_deletes(writer, vaults, deleted, now)
