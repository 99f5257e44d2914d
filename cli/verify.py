"""framekeep verify."""

import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from cli.bars import say
from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text, path_fields
from cli.proof import HeadOption, prove
from daemon.config.roots import check_roots
from daemon.config.schema import Config
from daemon.findings import Finding, Kind, Verified
from daemon.labels import LabelCheck
from daemon.log import configure
from daemon.models import open_record
from daemon.rules import limits_of
from daemon.sweep import targets_of
from daemon.verifying import Scope
from daemon.verifying import verify as verify_promises
from framekeep.errors import DamageFoundError, UsageError
from storage.ledger.opening import open_reader
from storage.ledger.reader import Reader
from storage.names import printable

app = verb()

_REFRESH_SECONDS: Final = 0.2
_ALL: Final = "100%"


@app.command(epilog="Example: framekeep verify incoming/gate --labels --sample 5%")
def verify(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders or pictures below a root; all roots if none.", readable=False)
    ] = None,
    *,
    labels: Annotated[bool, typer.Option("--labels", help="Look again with the model, too.")] = False,
    sample: Annotated[str, typer.Option(metavar="N%", help="Only so many of the pictures, drawn at random.")] = _ALL,
    ledger: Annotated[
        bool, typer.Option("--ledger", help='The ledger instead of the pictures, as "framekeep ledger verify" does.')
    ] = False,
    head: HeadOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Prove that all is there that the ledger promises.

    Reads every replaced picture and every original in the vault, compares them with the ledger's hashes, and decodes
    them. Tells what is wrong and what to do. With --ledger it proves that the ledger itself is as it was written.
    Changes nothing; ends with exit code 14 where there is damage.
    """
    _check_what_is_asked(ledger=ledger, of_ledger=head is not None, of_pictures=bool(paths) or labels or sample != _ALL)
    settings = load_config(config)
    if ledger:
        prove(settings.ledger.url, head, as_json=as_json)
        return
    configure(settings.service.log_format, "warning")
    check_roots(settings)
    share, started = _share(sample), time.monotonic()
    targets = targets_of(settings, paths or [])
    check = LabelCheck(open_record(settings)) if labels else None
    scope, verified = Scope(targets, limits_of(settings), share, check), Verified()
    found = _found(settings, scope, verified, as_json=as_json)
    if paths and share == 1 and not found and not verified.examined and not any(map(os.path.lexists, paths)):
        raise UsageError("nothing was verified: neither the disk nor the ledger knows these paths; correct them")
    if as_json:
        typer.echo(json.dumps(_document(found, scope, verified, time.monotonic() - started)))
    typer.echo(_sentence(verified, labels=labels), err=True)
    if verified.damaged:
        kinds = Counter(finding.kind for finding in found if finding.kind.is_damage)
        raise DamageFoundError("\n".join(f"{count} {kind.word}: {kind.remedy}" for kind, count in kinds.items()))


def _check_what_is_asked(*, ledger: bool, of_ledger: bool, of_pictures: bool) -> None:
    """Raises UsageError for options that are about something else."""
    if of_ledger and not ledger:
        raise UsageError("--head is the ledger's: give --ledger, too")
    if of_pictures and ledger:
        raise UsageError("--ledger proves the ledger alone: leave out the paths, --labels and --sample")


def _share(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%?", text)
    share = float(match[1]) / 100 if match else 0.0
    if not 0 < share <= 1:
        raise UsageError(f"--sample {text!r} is no share: write a percentage above 0 and up to 100, such as 5%")
    return share


def _found(config: Config, scope: Scope, verified: Verified, *, as_json: bool) -> list[Finding]:
    """All findings, printed as they come unless JSON is wanted."""
    found, console = [], Console(stderr=True)
    with open_reader(config.ledger.url) as reader, _progress(console, reader, scope, verified):
        for finding in verify_promises(reader, scope, verified):
            found.append(finding)
            if not as_json:
                say(console, _line(finding))
    return found


@contextmanager
def _progress(console: Console, reader: Reader, scope: Scope, verified: Verified) -> Iterator[None]:
    """A bar on a terminal."""
    done = threading.Event()
    thread = threading.Thread(target=_bar, args=(console, done, reader, scope, verified), daemon=True)
    if console.is_terminal:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if thread.ident:
            thread.join()


def _bar(console: Console, done: threading.Event, reader: Reader, scope: Scope, verified: Verified) -> None:
    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=console, transient=True, expand=True, redirect_stdout=False) as bar:
        total = sum(reader.promise_count(target) for target in scope.targets)
        task = bar.add_task("", total=round(total * scope.share))
        while not done.wait(_REFRESH_SECONDS):
            bar.update(task, completed=verified.examined)


def _line(finding: Finding) -> str:
    note = f" ({printable(finding.note)})" if finding.note else ""
    where = printable(str(Path(finding.place.root, finding.place.path)))
    return f"{where} {finding.kind.word}{note}: {finding.kind.remedy}"


def _sentence(verified: Verified, *, labels: bool) -> str:
    told = f"{verified.examined:,} replacements examined, {verified.bytes_read:,} bytes read"
    if labels:
        told += f", {verified.labels_hold:,} labels hold"
    if verified.labels_unknown:
        told += (
            f", {verified.labels_unknown:,} cannot be compared (decided with another model than the configured one, "
            "by the keeper hrs, or before a ledger was lost)"
        )
    others = sum(verified.kinds.values()) - verified.damaged
    return f"{told}; {verified.damaged:,} damaged, {others:,} other findings"


def _document(found: Sequence[Finding], scope: Scope, verified: Verified, seconds: float) -> dict[str, Any]:
    """As docs/schemas/verify.json has it."""
    hold, unknown = verified.labels_hold, verified.labels_unknown
    lost = sum(finding.kind is Kind.LABEL_LOST for finding in found)
    return {
        "examined": verified.examined,
        "bytes_read": verified.bytes_read,
        "seconds": round(seconds, 3),
        "sample_percent": round(100 * scope.share, 6),
        "labels": {"hold": hold, "lost": lost, "unknown": unknown} if scope.labels else None,
        "damaged": verified.damaged,
        "findings": [_as_object(finding) for finding in found],
    }


def _as_object(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.word,
        "damage": finding.kind.is_damage,
        **path_fields(finding.place.path),
        "root": as_text(finding.place.root),
        "decision": finding.decision,
        "vault_entry": None if finding.entry is None else as_text(finding.entry),
        "note": as_text(finding.note),
        "what_to_do": finding.kind.remedy,
    }
