"""Legal holds as commands show them."""

from datetime import datetime, tzinfo
from typing import Any

from cli.paths import as_text
from storage.names import printable
from storage.records import Hold


def document(one: Hold) -> dict[str, Any]:
    """A hold in JSON; times are UTC."""
    claim = one.claim
    return {
        "number": one.number,
        "camera": _text(claim.camera),
        "path": _text(claim.pattern),
        "root": _text(claim.root),
        "from": _iso(claim.since),
        "to": _iso(claim.until),
        "reason": as_text(claim.reason),
        "case": _text(claim.case_number),
        "added_at": _iso(one.added_at),
        "removed_at": _iso(one.removed_at),
        "removed_reason": _text(one.removed_reason),
    }


def covered(one: Hold, zone: tzinfo) -> str:
    """What a hold covers, in words; times in this zone."""
    claim = one.claim
    parts = [
        f"camera {claim.camera}" if claim.camera is not None else None,
        f"paths {claim.pattern}" if claim.pattern is not None else None,
        f"in {claim.root}" if claim.root is not None else None,
        f"from {local(claim.since, zone)}" if claim.since else None,
        f"to {local(claim.until, zone)}" if claim.until else None,
    ]
    return printable(", ".join(part for part in parts if part))


def local(moment: datetime | None, zone: tzinfo) -> str:
    """In this zone, with its offset."""
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds") if moment else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _text(name: str | None) -> str | None:
    return None if name is None else as_text(name)
