"""MediaPipe's SSD: a network that ends with its raw heads, so that anchors, sigmoid and suppression are ours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from framekeep.evidence import Detections
from framekeep.models.detectors.anchors import ssd_anchors
from framekeep.models.detectors.catalogue import SCORE_FLOOR
from framekeep.models.detectors.overlap import survivors
from framekeep.models.detectors.reading import Outputs, Size, detections

_MOST_IOU: Final = 0.5
_CENTRE_SCALE: Final = 10.0
_SIZE_SCALE: Final = 5.0


@dataclass(frozen=True)
class RawHeads:
    """A Reader of encoded boxes, (1, anchors, 4), and logits, (1, anchors, 1 + classes), with the background first."""

    names: Sequence[str]
    anchors: NDArray[np.float64] = field(default_factory=ssd_anchors)
    words: str = "raw heads of MediaPipe's SSD"

    def read(self, outputs: Outputs, size: Size) -> Detections:
        encodings, logits = self._heads(outputs)
        scores = expit(logits[:, 1:])
        best = scores.argmax(axis=1)
        likely = np.flatnonzero(scores.max(axis=1) >= SCORE_FLOOR)
        classes, likeliest = best[likely], scores[likely, best[likely]]
        boxes = _decoded(encodings[likely], self.anchors[likely])
        kept = survivors(classes, likeliest, boxes, _MOST_IOU)
        return detections(self.names, classes[kept], likeliest[kept], boxes[kept] * np.tile(size, 2))

    def fault(self, outputs: Outputs, size: Size) -> str | None:  # noqa: ARG002 - shapes do not depend on it
        wanted = sorted([(1, len(self.anchors), 4), (1, len(self.anchors), 1 + len(self.names))])
        found = sorted(output.shape for output in outputs)
        if found == wanted:
            return None
        return f"its outputs have the shapes {found}, where raw heads for {len(self.names)} classes have {wanted}"

    def _heads(self, outputs: Outputs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        by_width = {output.shape[-1]: output[0] for output in outputs}
        return by_width[4], by_width[1 + len(self.names)]


def _decoded(encodings: NDArray[np.float32], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Left, top, right and bottom where the picture is 1 wide and 1 high. An encoding is y, x, height, width."""
    centre = encodings[:, [1, 0]] / _CENTRE_SCALE * anchors[:, 2:] + anchors[:, :2]
    half = np.exp(encodings[:, [3, 2]] / _SIZE_SCALE) * anchors[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1)
