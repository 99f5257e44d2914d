"""A detector that OpenVINO runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from framekeep.evidence import Evidence
from framekeep.models.base import Prepared
from framekeep.models.detectors.conventions import InputConventions
from framekeep.models.detectors.feeding import Fed, feed
from framekeep.models.detectors.graph import Graph
from framekeep.models.detectors.reading import Outputs, Reader
from framekeep.models.shape import refuse_lines


@dataclass(frozen=True)
class GraphDetector:
    """A Model whose evidence is detections.

    Pictures go through the network one by one, several at a time where the machine has cores for it: that is exact, and
    on a CPU a batch is no faster.
    """

    name: str
    digest: str
    class_names: Sequence[str]
    transform: str
    graph: Graph
    wanted: InputConventions
    reader: Reader

    device = "cpu (openvino)"

    def prepare(self, image: Image.Image) -> Prepared:
        refuse_lines(image)
        return feed(image, self.wanted, self.graph.input_type)

    def look(self, batch: Sequence[Fed]) -> list[Evidence]:
        answers = self.graph.run([fed.pixels for fed in batch])
        return [self._evidence(outputs, fed) for outputs, fed in zip(answers, batch, strict=True)]

    def fault(self, image: Image.Image) -> str | None:
        """What speaks, after a look at this picture, against what its owner declared."""
        fed = self.prepare(image)
        (outputs,) = self.graph.run([fed.pixels])
        return self.reader.fault(self._finite(outputs), fed.size)

    def _evidence(self, outputs: Outputs, fed: Fed) -> Evidence:
        return Evidence(detections=self.reader.read(self._finite(outputs), fed.size))

    def _finite(self, outputs: Outputs) -> Outputs:
        if not all(np.isfinite(output).all() for output in outputs):
            raise FloatingPointError(f"{self.name} gave an answer that is not finite")
        return outputs
