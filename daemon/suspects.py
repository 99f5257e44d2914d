"""After a crash: the pictures that were in flight are tried, each alone in a child."""

from collections.abc import Callable
from datetime import UTC, datetime

from daemon.house import House
from daemon.log import log
from daemon.rules import Rules
from daemon.trial import Case, survives
from framekeep.jpeg.codec import encoder_versions
from framekeep.reasons import Kept, Reason
from storage.in_flight import acquit, suspects
from storage.ledger.writer import Writer
from storage.reading import read
from storage.records import Draft, Place
from storage.root import Root


def try_suspects(house: House, survives: Callable[[Case], bool] = survives) -> None:
    """Records a decision for each suspect that kills its process; the others are looked at as ever.

    Raises LedgerError.
    """
    for root in house.roots.values():
        for mark, path in suspects(root).items():
            rules = house.rules.for_path(path)
            if path and not rules.exclude and not survives(_case(root, path, rules)):
                _convict(house, root, path, rules)
            acquit(root, mark)


def _case(root: Root, path: str, rules: Rules) -> Case:
    limits = rules.limits
    return Case(root.path, path, limits.max_bytes, limits.max_pixels, rules.settings.ladder, rules.encoder.subsampling)


def _convict(house: House, root: Root, path: str, rules: Rules) -> None:
    log.error("picture_convicted", path=path, outcome="it is left as it is")
    try:
        picture = read(root, path, rules.limits.max_bytes)
    except Kept:  # it changed meanwhile: another picture, which is looked at as ever
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
