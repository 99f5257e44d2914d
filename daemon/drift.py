"""The drift check: before originals are released, a second model says whether it sees the same in their variants.

What framekeep promises is what one model sees. If a model of another size agrees less and less, the variants lose
something that matters, and an administrator can still restore what the vault holds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from daemon.config.schema import Config
from daemon.models import open_model
from framekeep.jpeg.codec import decode
from framekeep.keepers.naming import keeper_of
from framekeep.models.base import Model
from framekeep.models.catalogue import ModelChoice, packaged
from framekeep.models.weights import packaged_file
from framekeep.reasons import Kept
from storage.ledger.reader import Reader
from storage.ledger.second_looks import Agreement
from storage.reading import read
from storage.records import VaultEntry
from storage.root import Tree
from storage.vault import original_of

FEWEST: Final = 20
"""Second looks at a camera's pictures from which on a low agreement is told."""
_AHEAD: Final = timedelta(days=1)
_SAME_LABEL: Final = keeper_of("t1k", margin=0.0)


@dataclass(frozen=True, slots=True)
class Looks:
    """What a day's check came to: decisions, each with whether the second model agrees."""

    model: str
    agrees: Mapping[int, bool]


def second_model(config: Config) -> Model:
    """Raises ModelUnavailableError."""
    name = config.drift.second_model
    if package := packaged(ModelChoice(name)):
        packaged_file(package)  # a missing package is told before PyTorch is loaded, which takes seconds
    return open_model(
        config.selection.model_copy(
            update={"model": name, "weights": None, "weights_sha256": None, "class_names": None}
        )
    )


def look_again(reader: Reader, config: Config, model: Model, now: datetime, pause: Callable[[], None]) -> Looks:
    """Shows a sample of originals that are due within a day, and their variants, to the second model.

    `pause` is called before each, and may raise to end it. Raises LedgerError, ConfigurationError.
    """
    agrees: dict[int, bool] = {}
    with ExitStack() as opened:
        trees = {str(root): opened.enter_context(Tree(str(root))) for root in config.watch.roots}
        for held in reader.to_look_at_again(now + _AHEAD, config.drift.sample_per_day):
            pause()
            if held.place.root in trees:
                agrees |= dict(_look(trees[held.place.root], held, model))
    return Looks(model.name, agrees)


def _look(tree: Tree, held: VaultEntry, model: Model) -> Iterator[tuple[int, bool]]:
    """Nothing where a picture is not what the ledger knows: that is for verify to tell."""
    try:
        picture = read(tree, held.place.path, held.bytes_after)
        if picture.sha256 != held.sha256_after:
            return
        before, after = model.look([model.prepare(decode(data)) for data in (original_of(tree, held), picture.data)])
    except Kept:
        return
    yield held.decision, _SAME_LABEL.judge(before, after).qualifies


def alarming(agreements: Mapping[str, Agreement], alert_below: float) -> dict[str, Agreement]:
    """The cameras whose agreement is too low, where enough was looked at."""
    return {camera: one for camera, one in agreements.items() if one.looked >= FEWEST and one.share < alert_below}
