"""framekeep hold: add, list, remove."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.holds import covered, document, local
from cli.options import ConfigOption, JsonOption, check_reason, load_config, verb
from cli.tables import cell, show, table
from daemon.config.schema import Config
from daemon.holding import add_hold
from daemon.restoring import restore_all
from daemon.surveying import Survey, survey
from framekeep.errors import UsageError
from storage.ledger.opening import open_reader, open_writer
from storage.names import printable
from storage.records import Claim, Hold, VaultEntry

app = verb()

_PARTIAL: Final = 3
_REASON: Final = "Why; it is recorded."


@app.callback(no_args_is_help=True)
def hold() -> None:
    """Keep pictures as they are, for a court or an insurance."""


@app.command(epilog='Example: framekeep hold add --camera gate --from 2026-03-01 --to 2026-03-02 --reason "theft"')
def add(
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_REASON)],
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="Only pictures of this camera.")] = None,
    path: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Only paths below a root that this matches, as in a .gitignore file."),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Only in this root.", readable=False, show_default=False)
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Only from then on: ISO 8601, in [holds] timezone if it says none."
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only until then, which is included; a day is whole.")
    ] = None,
    case: Annotated[str | None, typer.Option(metavar="N", help="The number of the case.")] = None,
    restore: Annotated[bool, typer.Option("--restore", help="Put the originals back that the vault holds.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hold pictures: from now on they are neither replaced nor released.

    A picture is covered if any of its times lies between --from and --to: those in its EXIF, the one in its name
    ([holds] name_patterns), its file's time. When the command returns, no replacement of a covered picture is under
    way. What it counts are the pictures that the ledger knows; those that it does not know yet are covered as well.
    """
    settings = load_config(config)
    check_reason(reason)
    claim = Claim(
        reason=reason,
        root=str(root.absolute()) if root else None,
        camera=camera,
        pattern=path,
        since=_time(settings, begin, is_end=False),
        until=_time(settings, end, is_end=True),
        case_number=case,
    )
    if claim.root is not None and Path(claim.root) not in settings.watch.roots:
        raise UsageError(f"{claim.root} is no watched root")
    added = add_hold(settings, claim)
    found = survey(settings, claim)
    faults = _restored(settings, found) if restore else None
    if as_json:
        typer.echo(json.dumps({"hold": document(added), **_counts(found, faults)}))
    else:
        _tell(settings, added, found, faults)
    raise typer.Exit(_PARTIAL if faults else 0)


@app.command(epilog="Example: framekeep hold list --all --json")
def list(  # noqa: A001 - the name of the command
    *,
    every: Annotated[bool, typer.Option("--all", help="Those that were removed, too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List the holds in force.

    With --json each line is an object.
    """
    settings = load_config(config)
    with open_reader(settings.ledger.url) as reader:
        found = reader.holds(removed=every)
    if as_json:
        for one in found:
            typer.echo(json.dumps(document(one)))
    elif found:
        _show(settings, found)
    else:
        typer.echo("no hold is in force", err=True)


@app.command(epilog='Example: framekeep hold remove 3 --reason "case closed"')
def remove(
    number: Annotated[int, typer.Argument(metavar="ID", help="The hold's number, as the list tells it.")],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_REASON)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    config: ConfigOption = None,
) -> None:
    """Remove a hold: what it alone covered may be replaced, and released, from now on.

    The hold and its removal stay in the ledger.
    """
    settings = load_config(config)
    with open_reader(settings.ledger.url) as reader:
        found = next((one for one in reader.holds() if one.number == number), None)
    if found is None:
        raise UsageError(f"no hold {number} is in force: framekeep hold list shows those that are")
    check_reason(reason)
    if not yes:
        _confirm(settings, found)
    with open_writer(settings.ledger.url) as writer:
        try:
            writer.remove_hold(number, reason)
        except ValueError:
            raise UsageError(f"hold {number} was removed meanwhile") from None
    typer.echo(f"hold {number} removed", err=True)


def _time(config: Config, text: str | None, *, is_end: bool) -> datetime | None:
    """UTC. Of a local time that came twice or never, and of a whole day, the end that covers more."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if is_end and len(text) <= len("2026-03-01"):
            moment = datetime.combine(moment, time.max)
        zone = moment.tzinfo or config.holds.rules.zone
        both = [moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return max(both) if is_end else min(both)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no time: write 2026-03-01, or 2026-03-01T18:30, or 2026-03-01T18:30+01:00"
        ) from None


def _restored(config: Config, found: Survey) -> dict[VaultEntry, str]:
    """Why some were not restored. What is blocked is tried as well: the refusal says why."""
    wanted = [*found.restorable, *found.blocked]
    return {held: fault for held, fault in restore_all(config, wanted) if fault is not None}


def _counts(found: Survey, faults: dict[VaultEntry, str] | None) -> dict[str, Any]:
    def left(entries: Sequence[VaultEntry]) -> int:
        return sum(faults is None or held in faults for held in entries)

    restorable, blocked = left(found.restorable), left(found.blocked)
    return {
        "untouched": found.untouched,
        "restorable": restorable,
        "restored": len(found.restorable) + len(found.blocked) - restorable - blocked,
        "blocked": blocked,
        "released_before": found.released,
    }


def _tell(config: Config, added: Hold, found: Survey, faults: dict[VaultEntry, str] | None) -> None:
    counts = _counts(found, faults)
    typer.echo(f"hold {added.number}: {covered(added, config.holds.rules.zone)}")
    typer.echo(f"untouched: {counts['untouched']:,} pictures")
    if faults is not None:
        typer.echo(f"restored: {counts['restored']:,} pictures")
    advice = "; framekeep hold add --restore puts originals back" if counts["restorable"] and faults is None else ""
    typer.echo(f"replaced, with the original in the vault: {counts['restorable']:,} pictures{advice}")
    if counts["blocked"]:
        typer.echo(
            f"in the vault, with something else at the path: {counts['blocked']:,} pictures; move that away first"
        )
    typer.echo(f"replaced, with the original deleted before: {found.released:,} pictures; nothing brings those back")
    if not any(counts.values()):
        typer.echo("the ledger knows no such picture yet: see whether camera, pattern and times are right", err=True)
    for held, fault in (faults or {}).items():
        typer.echo(f"{printable(held.place.path)} not restored: {printable(fault)}", err=True)


def _show(config: Config, found: Sequence[Hold]) -> None:
    shown, zone = (
        table("hold", "covers", "reason", "case", "added", "removed", right=("hold",)),
        config.holds.rules.zone,
    )
    for one in found:
        removed = f"{local(one.removed_at, zone)}: {one.removed_reason}" if one.removed_at else ""
        shown.add_row(
            str(one.number),
            cell(covered(one, zone)),
            cell(one.claim.reason),
            cell(one.claim.case_number or ""),
            local(one.added_at, zone),
            cell(removed),
        )
    show(shown)


def _confirm(config: Config, found: Hold) -> None:
    typer.echo(f"hold {found.number}: {covered(found, config.holds.rules.zone)}", err=True)
    typer.echo("What it alone covers may be replaced, and originals may be deleted for good.", err=True)
    try:
        sure = typer.confirm(f"Remove hold {found.number}?", err=True)
    except typer.Abort:
        sure = False
    if not sure:
        raise UsageError(f"hold {found.number} stays: say yes to remove it, or give --yes")
