"""What `framekeep report` asks of the ledger, and its answer as a table, JSON or CSV."""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from datetime import date
from typing import Any, Final

import typer

from cli.days import midnight
from cli.paths import as_text
from cli.report import Grouping
from cli.report_objects import object_groups, show_objects, write_object_csv
from cli.tables import cell, facts, ratio, show, size, table
from storage.ledger.answers import Period, Total
from storage.ledger.objects import ObjectTotal
from storage.ledger.opening import open_reader
from storage.ledger.second_looks import Agreement
from storage.records import By

_NUMBERS: Final = ("pictures", "replaced", "before", "saved", "smaller", "freed", "in vault")
_NO_KEY: Final = "(nothing recognised)"
"""Only labels can be missing."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was asked for and the ledger's answer: `total` over all, `groups` by key."""

    by: Grouping | None
    period: Period
    total: Total
    groups: Sequence[Total]
    objects: Sequence[ObjectTotal]
    """Instead of groups where they are classes."""
    agreements: Mapping[str, Agreement]
    """What a second model said of each camera's pictures; nothing where the groups are no cameras."""


def ask(url: str, by: Grouping | None, days: tuple[date | None, date | None]) -> Report:
    """`days`: the first, and the one after the last. Raises LedgerError."""
    period = Period(*days)
    with open_reader(url) as reader:
        (total,) = reader.totals(None, period)
        agreements = reader.agreements(midnight(period.since), midnight(period.until)) if by == "camera" else {}
        if by == "class":
            return Report(by, period, total, [], reader.objects(period), {})
        return Report(by, period, total, reader.totals(by, period) if by else [], [], agreements)


def document(answer: Report) -> dict[str, Any]:
    """As docs/schemas/report.json has it."""
    period = answer.period
    return {
        "since": period.since.isoformat() if period.since else None,
        "until": period.until.isoformat() if period.until else None,
        **_sums(answer.total),
        "by": answer.by,
        "groups": _groups(answer),
    }


def _groups(answer: Report) -> list[dict[str, Any]]:
    if answer.by == "class":
        return object_groups(answer.objects)
    return [{"key": _key(total)} | _sums(total) | _agreement(answer, total) for total in answer.groups]


def _agreement(answer: Report, total: Total) -> dict[str, Any]:
    if answer.by != "camera":
        return {}
    agreement = answer.agreements.get(total.key or "")
    return {"agreement": asdict(agreement) if agreement else None}


def _sums(total: Total) -> dict[str, int]:
    return {
        "pictures": total.pictures,
        "replaced": total.replaced,
        "kept": total.kept,
        "failed": total.failed,
        "bytes_before": total.bytes_before,
        "bytes_after": total.bytes_after,
        "bytes_saved": total.bytes_before - total.bytes_after,
        "bytes_freed": total.bytes_freed,
        "bytes_in_vault": total.bytes_in_vault,
        "missed_by_watcher": total.missed_by_watcher,
    }


def _key(total: Total) -> str | None:
    return None if total.key is None else as_text(total.key)


def write_csv(answer: Report) -> None:
    """A line a group, or the one line of the total."""
    if answer.by == "class":
        write_object_csv(answer.objects)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    second = [field.name for field in fields(Agreement)] if answer.by == "camera" else []
    writer.writerow([answer.by or "total", *_sums(answer.total), *second])
    for total in answer.groups if answer.by else [answer.total]:
        writer.writerow([_key(total) or "", *_sums(total).values(), *_second_looks(answer, total)])


def _second_looks(answer: Report, total: Total) -> Sequence[int]:
    """How many a second model looked at and agreed on; nothing where the groups are no cameras."""
    if answer.by != "camera":
        return ()
    return astuple(answer.agreements.get(total.key or "", Agreement(0, 0)))


def show_report(answer: Report) -> None:
    if answer.by == "class":
        show_objects(answer.objects)
    elif answer.by:
        _show_groups(answer.by, answer)
    else:
        _show_total(answer.total)
    if not answer.total.pictures:
        typer.echo("nothing was decided in this time", err=True)


def _show_total(total: Total) -> None:
    shown = facts()
    shown.add_row("pictures", f"{total.pictures:,}")
    shown.add_row("", f"{total.replaced:,} replaced, {total.kept:,} kept, {total.failed:,} failed")
    shown.add_row("before", size(total.bytes_before))
    shown.add_row("after", f"{size(total.bytes_after)}, {_smaller(total)} smaller")
    shown.add_row("saved", size(total.bytes_before - total.bytes_after))
    shown.add_row("  freed", size(total.bytes_freed))
    shown.add_row("  in vault", f"{size(total.bytes_in_vault)}, free when the originals are released")
    shown.add_row("missed", f"{total.missed_by_watcher:,} pictures that only a rescan found")
    show(shown)


def _show_groups(by: By, answer: Report) -> None:
    columns = (*_NUMBERS, "agreement") if answer.agreements else _NUMBERS
    shown = table(by, *columns, right=columns)
    for total in answer.groups:
        agreement = answer.agreements.get(total.key or "")
        told = f"{agreement.share:.0%} of {agreement.looked}" if agreement else ""
        shown.add_row(cell(_NO_KEY if total.key is None else total.key), *_numbers(total), *([told] if told else []))
    if len(answer.groups) > 1:
        shown.add_row("all", *_numbers(answer.total), style="bold")
    show(shown)


def _numbers(total: Total) -> tuple[str, ...]:
    """In the order of _NUMBERS."""
    saved = total.bytes_before - total.bytes_after
    return (
        f"{total.pictures:,}",
        f"{total.replaced:,}",
        size(total.bytes_before),
        size(saved),
        _smaller(total),
        size(total.bytes_freed),
        size(total.bytes_in_vault),
    )


def _smaller(total: Total) -> str:
    return ratio(total.bytes_before, total.bytes_after)
