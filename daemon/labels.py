"""Whether what was promised of a replaced picture's labels holds still."""

from dataclasses import dataclass
from enum import Enum

from framekeep.jpeg.codec import decode, same_pixels
from framekeep.keepers.labels import MARGIN, prediction_of, recognise
from framekeep.keepers.naming import keeper_of
from framekeep.models.base import Model
from framekeep.models.describing import headline
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

    def judge(self, promise: Promise, variant: bytes, original: bytes | None) -> Labels:
        """`original` is None where it was released: then only the label that the ledger kept can be compared.

        Raises Kept for a picture that does not decode, and what `Model.look` raises.
        """
        if promise.model_digest != self.model.digest:
            return Labels.UNKNOWN
        if original is None:
            return self._compare_with_label(promise, variant)
        if promise.reason is Reason.SQUEEZED:
            return _said(same_pixels(original, variant))
        return self._compare(promise, original, variant)

    def _compare(self, promise: Promise, original: bytes, variant: bytes) -> Labels:
        # No margin: what was clear by one when it was decided may be so by a hair less on another device.
        keeper = keeper_of(promise.keeper, promise.min_confidence, margin=0.0)
        before, after = self.model.look([self.model.prepare(decode(data)) for data in (original, variant)])
        return _said(keeper.judge(before, after).qualifies)

    def _compare_with_label(self, promise: Promise, variant: bytes) -> Labels:
        if promise.probability is None or "t1k" not in promise.keeper.split(","):
            return Labels.UNKNOWN
        (evidence,) = self.model.look([self.model.prepare(decode(variant))])
        label, _ = headline(evidence, self.model.class_names, promise.min_confidence)
        if label != promise.label and recognise(prediction_of(evidence), 1, promise.min_confidence).margin < MARGIN:
            return Labels.UNKNOWN  # a squeezed picture's tie, which was never promised
        return _said(label == promise.label)


def _said(holds: bool) -> Labels:
    return Labels.HOLD if holds else Labels.LOST
