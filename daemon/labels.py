"""Whether what was promised of a replaced picture's evidence holds still."""

import json
from dataclasses import dataclass
from enum import Enum

from framekeep.evidence import Evidence
from framekeep.jpeg.codec import decode, same_pixels
from framekeep.keepers.base import Keeper
from framekeep.keepers.excerpts import UnknownNameError, evidence_of
from framekeep.keepers.labels import MARGIN
from framekeep.keepers.naming import HRS, keeper_of
from framekeep.keepers.objects import ObjectRule
from framekeep.models.base import Model
from framekeep.models.both import part_for
from framekeep.models.identity import use_of
from framekeep.reasons import Reason
from storage.ledger.promises import Promise


class Labels(Enum):
    HOLD = "hold"
    LOST = "lost"
    UNKNOWN = "unknown"
    """Nothing can be said here."""


@dataclass(frozen=True, slots=True)
class LabelCheck:
    """Looks again, with the model of record."""

    model: Model

    def judge(self, promise: Promise, variant: bytes, original: bytes | None) -> tuple[Labels, str]:
        """Whether it is kept, and where not why.

        `original` is None where it was released: then what the ledger kept of its evidence is compared, and so it is
        where the vault holds a variant in its place. Raises Kept for a picture that does not decode, and what
        `Model.look` raises.
        """
        original = original if promise.generation == 1 else None
        # No margin: what was clear by one when it was decided may be so by a hair less on another device.
        keeper = _keeper(promise, margin=0.0)
        model = part_for(self.model, keeper.needs)
        if original is not None and promise.reason is Reason.SQUEEZED:
            return (Labels.HOLD, "") if same_pixels(original, variant) else (Labels.LOST, "its pixels differ")
        is_same = (promise.model_digest, promise.model_use) == (model.digest, use_of(model))
        if keeper.name == HRS or not is_same or (original is None and promise.evidence_before is None):
            return Labels.UNKNOWN, ""
        try:
            before, now = _recorded(promise, model, variant) if original is None else _look(model, original, variant)
        except UnknownNameError:
            return Labels.UNKNOWN, ""
        verdict = keeper.judge(before, now)
        if verdict.qualifies:
            return Labels.HOLD, ""
        if original is None and not _keeper(promise, margin=MARGIN).judge(now, now).qualifies:
            return Labels.UNKNOWN, ""  # a squeezed picture's tie, which was never promised
        return Labels.LOST, verdict.why


def _keeper(promise: Promise, margin: float) -> Keeper:
    objects = ObjectRule.of(promise.objects) if promise.objects else None
    return keeper_of(promise.keeper, promise.min_confidence, objects, margin=margin)


def _recorded(promise: Promise, model: Model, variant: bytes) -> list[Evidence]:
    return [evidence_of(json.loads(promise.evidence_before or "{}"), model.class_names), *_look(model, variant)]


def _look(model: Model, *pictures: bytes) -> list[Evidence]:
    return model.look([model.prepare(decode(picture)) for picture in pictures])
