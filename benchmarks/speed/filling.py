"""Ledgers of many decisions without a sweep, through the ledger's own Writer."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.speed.site import Site
from framekeep.ladder import Rung
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.opening import open_writer
from storage.records import Draft, Place, Settings, Timings

CAMERAS: Final = 50
_AT_ONCE: Final = 1000
"""Decisions a transaction."""
_SETTINGS: Final = Settings(
    "t1k", 0.0, "paper", 0.01, "4:2:0", progressive=True, model="tf_efficientnet_lite0", model_digest="0" * 64
)
_BEFORE, _AFTER = 60_000, 7000
_LABELS: Final = 300


def fill_with_done(site: Site, files: Iterable[Path]) -> None:
    """Files that need no look: the ledger knows them as what framekeep has written.

    A root that the ledger knows has a vault: without one its disk would count as not mounted.
    """
    for folder in (site.root / ".framekeep", site.root / ".framekeep" / "vault"):
        folder.mkdir(mode=0o700)
    now = datetime.now(UTC)
    drafts = (
        replace(_kept(Place(str(site.root), str(file.relative_to(site.root))), number, now), identity=_identity(file))
        for number, file in enumerate(files)
    )
    with open_writer(site.url) as writer:
        while batch := list(islice(drafts, _AT_ONCE)):
            writer.record(batch)


def fill_with_replacements(site: Site, count: int, began: datetime) -> None:
    """Replacements spread evenly over the day that began then."""
    drafts = _replacements(site, count, began)
    with open_writer(site.url, clock=lambda: began) as writer:
        while batch := list(islice(drafts, _AT_ONCE)):
            writer.adopt([(draft, replace(draft.identity, size=draft.bytes_after or 0)) for draft in batch])


def _replacements(site: Site, count: int, began: datetime) -> Iterator[Draft]:
    for number in range(count):
        at = began + timedelta(days=1) * (number / count)
        place = Place(str(site.root), f"camera{number % CAMERAS:02}/{at:%H}/{number:08}.jpg")
        rung = Rung(10 * (1 + number % 7))
        yield replace(
            _kept(place, number, at),
            reason=Reason.QUALIFIED,
            rung=rung.name,
            quality=rung.quality,
            bytes_after=_AFTER + number % 5000,
            sha256_after=hashlib.sha256(b"after %d" % number).digest(),
            evidence_after=_evidence(number, 0.31),
            vault_entry=hashlib.sha256(b"entry %d" % number).hexdigest()[:32],
            vault_days=7,
        )


def _kept(place: Place, number: int, at: datetime) -> Draft:
    return Draft(
        *(place, _SETTINGS, Reason.ALREADY_SHRUNK),
        FileIdentity(_BEFORE + number % 40_000, 1_600_000_000 * 10**9 + number, 1_600_000_000 * 10**9 + number, number),
        at,
        sha256_before=hashlib.sha256(b"before %d" % number).digest(),
        label=_label(number),
        probability=0.42,
        evidence_before=_evidence(number, 0.42),
        device="cpu (openvino)",
        versions="pillow 13.0.0, libjpeg-turbo 3.2.0, mozjpeg-lossless 1.3.2",
        timings=Timings(2, 30, 40, 12),
    )


def _label(number: int) -> str:
    return f"label {number % _LABELS}"


def _evidence(number: int, probability: float) -> str:
    """As a keeper of labels writes it."""
    labels = [[_label(number + k), round(probability / (1 + k), 4)] for k in range(5)]
    return json.dumps({"labels": labels}, separators=(",", ":"))


def _identity(file: Path) -> FileIdentity:
    return FileIdentity.of(file.lstat())
