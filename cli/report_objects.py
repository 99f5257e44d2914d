"""framekeep report --by class: the objects that were kept."""

import csv
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer

from cli.paths import as_text
from cli.tables import cell, show, table
from storage.ledger.objects import ObjectTotal

_NUMBERS: Final = ("pictures", "objects")


def object_groups(found: Sequence[ObjectTotal]) -> list[dict[str, Any]]:
    """As docs/schemas/report.json has them."""
    return [
        {"key": one.label, "camera": as_text(one.camera), "pictures": one.pictures, "objects": one.objects}
        for one in found
    ]


def write_object_csv(found: Sequence[ObjectTotal]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["class", "camera", *_NUMBERS])
    writer.writerows([one.label, as_text(one.camera), one.pictures, one.objects] for one in found)


def show_objects(found: Sequence[ObjectTotal]) -> None:
    shown = table("class", "camera", *_NUMBERS, right=_NUMBERS)
    for one in found:
        shown.add_row(cell(one.label), cell(one.camera), f"{one.pictures:,}", f"{one.objects:,}")
    show(shown)
    if not found:
        typer.echo('no objects were kept in this time: they are where the keeper is "objects"', err=True)
