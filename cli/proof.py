"""The proof that the ledger is as it was written, which two commands offer."""

import json
import re
from typing import Annotated

import typer

from framekeep.errors import DamageFoundError, UsageError
from storage.ledger.chain import Break
from storage.ledger.events import Head
from storage.ledger.opening import open_reader

HeadOption = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER:DIGEST", help='A head that was kept elsewhere, as "framekeep ledger head" printed it.'
    ),
]


def prove(url: str, head: str | None, *, as_json: bool) -> None:
    """Prints what came of it. Raises DamageFoundError for a break, UsageError for what is no head, and LedgerError."""
    kept = _kept(head) if head is not None else None
    with open_reader(url) as reader:
        end, found = reader.head(), reader.verify_chain(kept)
    if as_json:
        typer.echo(json.dumps(_document(end, found)))
    if found:
        raise DamageFoundError(
            f"{_sentence(found)}: somebody changed the ledger, or its disk did. Keep this file, and compare it with a "
            "backup that verifies."
        )
    if not as_json:
        typer.echo(f"{end.event:,} events are as they were written; the head is {end}")


def _kept(text: str) -> Head:
    found = re.fullmatch(r"\s*(\d{1,18})(?:\s+|:)([0-9a-fA-F]{64})\s*", text)
    if found is None:
        raise UsageError(
            f"{text!r} is no head: give the number and the digest that framekeep ledger head printed, as NUMBER:DIGEST "
            "or between quotes"
        )
    return Head(int(found[1]), bytes.fromhex(found[2]))


def _document(end: Head, found: Break | None) -> dict[str, object]:
    """As docs/schemas/ledger-verify.json has it."""
    return {
        "intact": found is None,
        "event": end.event,
        "digest": end.digest.hex(),
        "break": {"event": found.event, "sentence": found.sentence} if found else None,
    }


def _sentence(found: Break) -> str:
    return found.sentence if found.event is None else f"event {found.event}: {found.sentence}"
