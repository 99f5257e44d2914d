"""framekeep sweep."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from cli.options import AcceptModelOption, ConfigOption, JsonOption, load_config, verb
from cli.progress import shown
from daemon.config.schema import Config
from daemon.house import opened, opened_quietly
from daemon.log import configure
from daemon.niceness import be_nice
from daemon.openings import sentence
from daemon.sweep import Sweeping, rehearse, targets_of
from daemon.sweep import sweep as sweep_through
from daemon.walk import PassedOver
from framekeep.errors import BreakerOpenError, UsageError
from framekeep.reasons import Reason

app = verb()

_PARTIAL = 3
_INTERRUPTED = 130


@app.command(epilog="Example: framekeep sweep incoming/gate --keeper t1k,t5k --dry-run")
def sweep(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders or pictures below a root; all roots if none.", readable=False)
    ] = None,
    *,
    keeper: Annotated[str | None, typer.Option(metavar="K[,K]", help="Instead of the configured keeper.")] = None,
    ladder: Annotated[str | None, typer.Option(metavar="L", help="Instead of the configured ladder.")] = None,
    min_confidence: Annotated[float | None, typer.Option(metavar="T", help="Instead of the configured one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Encode and look, but change nothing.")] = False,
    accept_model: AcceptModelOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Shrink the pictures that exist already, in one pass."""
    settings = load_config(config).overridden(keeper=keeper, ladder=ladder, min_confidence=min_confidence)
    configure(settings.service.log_format, "warning")
    sweeping = _swept(settings, paths or [], dry_run=dry_run, accept_model=accept_model)
    for told in (*passed_over(sweeping), *left_alone(sweeping)):
        typer.echo(told, err=True)
    if as_json:
        typer.echo(json.dumps(sweeping.summary()))
    if sweeping.openings and not sweeping.interrupted:
        raise BreakerOpenError("\n".join(map(sentence, sweeping.openings)))
    raise typer.Exit(exit_code(sweeping))


def passed_over(sweeping: Sweeping) -> Iterator[str]:
    """Sentences about the pictures that it cannot have seen."""
    if unreadable := sweeping.passed_over[PassedOver.UNREADABLE]:
        yield f"{unreadable} folders or files could not be read (passed_over above): allow that to framekeep's user"
    if mounts := sweeping.passed_over[PassedOver.OTHER_FILESYSTEM]:
        yield f"{mounts} folders are on another filesystem (passed_over above): to sweep one, add it to [watch] roots"


def left_alone(sweeping: Sweeping) -> Iterator[str]:
    """Sentences about the pictures that their policies left alone."""
    reasons = sweeping.tally.reasons
    if outside := reasons[Reason.OUTSIDE_HOURS.word]:
        yield f"{outside} pictures wait for their working hours: framekeep policy explain PATH tells when those begin"
    if excluded := reasons[Reason.EXCLUDED.word]:
        yield f"{excluded} pictures were not read, since a policy excludes them"


def exit_code(sweeping: Sweeping) -> int:
    """Where the breaker is not open."""
    if sweeping.interrupted:
        return _INTERRUPTED
    return _PARTIAL if sweeping.tally.failed or sweeping.passed_over[PassedOver.UNREADABLE] else 0


def _swept(config: Config, paths: list[Path], *, dry_run: bool, accept_model: bool) -> Sweeping:
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path} does not exist")
    targets = targets_of(config, paths)
    be_nice(config.service.nice)
    sweeping = Sweeping(dry_run)
    with ExitStack() as held:
        if dry_run:
            quiet = held.enter_context(opened_quietly(config))
            held.enter_context(shown(sweeping, config, targets))
            rehearse(quiet, targets, sweeping)
        else:
            house = held.enter_context(opened(config, accept_model=accept_model))
            held.enter_context(shown(sweeping, config, targets))
            sweep_through(house, targets, sweeping)
    return sweeping
