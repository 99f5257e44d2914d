"""After a crash: the pictures that were in flight are tried, each alone in a child, at the stage of that work."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from daemon.house import House
from daemon.log import log
from daemon.rules import Rules
from daemon.scanning import is_behind
from daemon.trial import Case, survives
from framekeep.jpeg.codec import encoder_versions
from framekeep.reasons import Kept, Reason
from storage.in_flight import Suspect, acquit, suspects
from storage.ledger.writer import Writer
from storage.reading import read
from storage.records import Draft, Place, Tried
from storage.root import Root


def try_suspects(house: House, survives: Callable[[Case], bool] = survives) -> None:
    """Records a decision for each suspect that kills its process; the others are looked at as ever.

    Raises LedgerError.
    """
    for root in house.roots.values():
        for mark, suspect in suspects(root).items():
            path, rules = suspect.path, _rules(house, root, suspect)
            if path and not rules.exclude and not survives(_case(house, root, path, rules)):
                _convict(house, root, path, rules)
            acquit(root, mark)


def _rules(house: House, root: Root, suspect: Suspect) -> Rules:
    """Those of the stage at which it was worked on; where there is none such any more, those of its age."""
    path, rules = suspect.path, house.rules.for_path(suspect.path)
    for one in (rules, *rules.later):
        if one.settings.stage == suspect.stage:
            return one
    with suppress(OSError), root.folder_of(path) as (folder, name):
        return rules.at(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns, time.time_ns())
    return rules


def _case(house: House, root: Root, path: str, rules: Rules) -> Case:
    """With the original in the vault, where that may have been what was worked on."""
    limits, held = rules.limits, house.reader.entry_of(root.path, path) if rules.settings.stage else None
    return Case(
        *(root.path, path, limits.max_bytes, limits.max_pixels, rules.settings.ladder, rules.encoder.subsampling),
        entry=held.entry if held else "",
    )


def _convict(house: House, root: Root, path: str, rules: Rules) -> None:
    log.error("picture_convicted", path=path, outcome="it is left as it is")
    try:
        picture = read(root, path, rules.limits.max_bytes)
    except Kept:  # it changed meanwhile: another picture, which is looked at as ever
        return
    known = house.reader.known(root.path, [path]).get(path)
    if known and is_behind(known, rules):
        tried = Tried(known.decision, rules.settings, Reason.CRASHED, "")
        house.ledger.submit(Writer.tried, house.writer, tried).result()
        return
    draft = Draft(
        place=Place(root.path, path),
        settings=rules.settings,
        reason=Reason.CRASHED,
        identity=picture.identity,
        decided_at=datetime.now(UTC),
        sha256_before=picture.sha256,
        device=house.model.device,
        versions=encoder_versions(),
    )
    house.ledger.submit(Writer.record, house.writer, [draft]).result()
