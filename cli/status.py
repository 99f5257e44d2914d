"""framekeep status."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import typer
from rich.table import Table

from cli.holds import covered, document
from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text
from cli.status_policy import sentences, standing
from cli.tables import cell, facts, ratio, show, size
from daemon.config.schema import Config
from daemon.live_state import read_live_state
from daemon.openings import sentence
from framekeep.errors import LedgerError
from storage.ledger.opening import open_reader
from storage.ledger.reader import Reader
from storage.records import Hold

app = verb()

_HOLDS_TOLD: Final = 5
"""So many of the holds in force; framekeep hold list tells all."""

_TOLD: Final = (
    *("pid", "version", "since", "model", "device", "waiting", "pictures_per_second"),
    *("replaced", "kept", "skipped", "failed", "missed_by_watcher", "bytes_before", "bytes_after"),
    *("last_decision_at", "last_decision_reason", "watching", "breaker", "pressure"),
)
"""What is told of the daemon, by its names in the live state."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """`fault` says why nothing is known; None where the ledger could be read."""

    url: str
    fault: str | None = None
    last_decision_at: datetime | None = None
    failures_last_day: int | None = None
    pending: int | None = None
    breaker: Sequence[str] = ()
    """Where nothing is replaced, why, and what to do."""
    holds: Sequence[Hold] = ()
    """All that are in force, the oldest first."""

    def document(self) -> dict[str, Any]:
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        first = [document(hold) for hold in self.holds[:_HOLDS_TOLD]]
        return told | {"holds": None if self.fault else {"in_force": len(self.holds), "first": first}}


@dataclass(frozen=True, slots=True)
class RootState:
    """The filesystem that a root lies on; `fault` says why nothing is known."""

    path: str
    free_bytes: int | None = None
    total_bytes: int | None = None
    is_low: bool | None = None
    """Whether less is free than [vault] floor_megabytes, so that nothing is replaced."""
    fault: str | None = None


@app.command(epilog="Example: framekeep status --config /etc/framekeep/config.toml")
def status(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show whether a daemon runs, and what it does.

    Works without a daemon and without a ledger, too.
    """
    settings = load_config(config)
    now = datetime.now(UTC)
    daemon = _daemon(settings)
    ledger = _ledger(settings.ledger.url, now)
    roots = [_root(path, settings.vault.floor_megabytes) for path in settings.watch.roots]
    if as_json:
        document = {
            "alive": daemon is not None,
            "daemon": daemon,
            "ledger": ledger.document(),
            "policy": standing(settings, now),
            "roots": [asdict(root) for root in roots],
        }
        typer.echo(json.dumps(document, default=datetime.isoformat))
    else:
        shown = _table(daemon, ledger, roots, now)
        for name, sentence in sentences(settings, now):
            shown.add_row(name, cell(sentence))
        show(shown)


def _daemon(config: Config) -> dict[str, Any] | None:
    state = read_live_state(config.service.runtime_directory)
    return {name: state.get(name) for name in _TOLD} if state else None


def _ledger(url: str, now: datetime) -> LedgerState:
    try:
        with open_reader(url) as reader:
            return _read(url, reader, now)
    except LedgerError as error:
        return LedgerState(as_text(url), str(error))


def _read(url: str, reader: Reader, now: datetime) -> LedgerState:
    failures = reader.failures_since(now - timedelta(days=1))
    breaker = [sentence(opening) for opening in reader.openings()]
    return LedgerState(
        as_text(url), None, reader.last_decision_at(), failures, reader.pending_count(), breaker, reader.holds()
    )


def _root(path: Path, floor_megabytes: float) -> RootState:
    name = as_text(str(path))
    try:
        usage = shutil.disk_usage(path)
    except OSError as error:
        return RootState(name, fault=error.strerror)
    return RootState(name, usage.free, usage.total, usage.free < floor_megabytes * 2**20)


def _table(daemon: Mapping[str, Any] | None, ledger: LedgerState, roots: Sequence[RootState], now: datetime) -> Table:
    shown = facts()
    if daemon:
        _add_daemon(shown, daemon, now)
    else:
        shown.add_row("daemon", "not running: systemctl start framekeep, or framekeep run")
    for stopped in ledger.breaker or (daemon or {}).get("breaker") or ():
        shown.add_row("BREAKER", cell(stopped))
    for lacking in (daemon or {}).get("pressure") or ():
        shown.add_row("PRESSURE", cell(lacking))
    _add_ledger(shown, ledger, alive=daemon is not None)
    _add_holds(shown, ledger.holds)
    for root in roots:
        space = root.fault or f"{size(root.free_bytes or 0)} free of {size(root.total_bytes or 0)}"
        shown.add_row("root", cell(f"{root.path}: {space}"))
        if root.is_low:
            shown.add_row("", "less than [vault] floor_megabytes: nothing is replaced until there is more")
    return shown


def _add_daemon(shown: Table, daemon: Mapping[str, Any], now: datetime) -> None:
    running = timedelta(seconds=round((now - datetime.fromisoformat(daemon["since"])).total_seconds()))
    shown.add_row("daemon", f"running for {running} (process {daemon['pid']}, framekeep {daemon['version']})")
    shown.add_row("model", cell(f"{daemon['model']} on {daemon['device']}"))
    shown.add_row("waiting", f"{daemon['waiting']}; {daemon['pictures_per_second']} pictures/s in the last minute")
    shown.add_row("so far", "{replaced} replaced, {kept} kept, {skipped} skipped, {failed} failed".format_map(daemon))
    shown.add_row("", f"{ratio(daemon['bytes_before'], daemon['bytes_after'])} smaller")
    shown.add_row("watching", cell(f"{daemon['watching']}; {daemon['missed_by_watcher']} missed"))


def _add_ledger(shown: Table, ledger: LedgerState, *, alive: bool) -> None:
    if ledger.fault:
        shown.add_row("ledger", cell(ledger.fault))
        return
    shown.add_row("ledger", cell(ledger.url))
    last = ledger.last_decision_at
    shown.add_row("", f"last decision {last:%Y-%m-%d %H:%M:%S} UTC" if last else "no decision yet")
    failures = f"{ledger.failures_last_day} failures in the last day"
    shown.add_row("", f"{failures}: see framekeep decisions --since 1d" if ledger.failures_last_day else failures)
    pending = f"{ledger.pending} replacements under way"
    shown.add_row("", f"{pending}: the next start ends them" if ledger.pending and not alive else pending)


def _add_holds(shown: Table, holds: Sequence[Hold]) -> None:
    if not holds:
        return
    more = "" if len(holds) <= _HOLDS_TOLD else f"; the first {_HOLDS_TOLD}, framekeep hold list shows all"
    shown.add_row("holds", f"{len(holds)} in force{more}")
    for hold in holds[:_HOLDS_TOLD]:
        shown.add_row("", cell(f"{hold.number}: {covered(hold, UTC)} ({hold.claim.reason})"))
