"""A classifier and a detector as one model of record."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from PIL import Image

from framekeep.evidence import Evidence
from framekeep.keepers.base import Need
from framekeep.models.base import Model, Prepared


@dataclass(frozen=True)
class Both:
    """A Model whose evidence is a prediction and detections."""

    classifier: Model
    detector: Model

    @property
    def name(self) -> str:
        return f"{self.classifier.name}+{self.detector.name}"

    @property
    def digest(self) -> str:
        return f"{self.classifier.digest}+{self.detector.digest}"

    @property
    def class_names(self) -> Sequence[str]:
        """The classifier's; detections carry their names with them."""
        return self.classifier.class_names

    @property
    def transform(self) -> str:
        return f"{self.classifier.transform}; {self.detector.transform}"

    @property
    def device(self) -> str:
        places = dict.fromkeys((self.classifier.device, self.detector.device))
        return ", ".join(places)

    def prepare(self, image: Image.Image) -> Prepared:
        return self.classifier.prepare(image), self.detector.prepare(image)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        predicted = self.classifier.look([of_classifier for of_classifier, _ in batch])
        detected = self.detector.look([of_detector for _, of_detector in batch])
        return [Evidence(one.prediction, other.detections) for one, other in zip(predicted, detected, strict=True)]


def parts_of(model: Model) -> tuple[Model, ...]:
    """The models that are loaded, each of which has a name and a digest of its own."""
    return (model.classifier, model.detector) if isinstance(model, Both) else (model,)


def part_for(model: Model, needs: AbstractSet[Need]) -> Model:
    """As much of the model as makes what a keeper needs: other cameras' keepers may need more."""
    if isinstance(model, Both) and len(needs) == 1:
        return model.classifier if Need.PREDICTION in needs else model.detector
    return model
