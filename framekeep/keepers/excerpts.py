"""Evidence from the excerpt that a record keeps of it: enough for the keeper that made the excerpt to judge again."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from framekeep.evidence import Detections, Evidence, Prediction


class UnknownNameError(Exception):
    """The model has no such class, or several: its names were changed since."""


def evidence_of(excerpt: Mapping[str, Sequence[Any]], class_names: Sequence[str]) -> Evidence:
    """The inverse of `Keeper.excerpt`. What the excerpt leaves out has a probability of 0, or was not detected.

    Raises UnknownNameError.
    """
    return Evidence(
        _prediction(excerpt["labels"], class_names) if "labels" in excerpt else None,
        _detections([*excerpt["objects"], *excerpt["fainter"]]) if "objects" in excerpt else None,
    )


def _prediction(labels: Sequence[Any], class_names: Sequence[str]) -> Prediction:
    probabilities = np.zeros(len(class_names), dtype=np.float32)
    for name, probability in labels:
        if class_names.count(name) != 1:
            raise UnknownNameError(name)
        probabilities[class_names.index(name)] = probability
    return Prediction(probabilities)


def _detections(objects: Sequence[Any]) -> Detections:
    labels = tuple(label for label, *_ in objects)
    numbers = np.array([numbers for _, *numbers in objects], dtype=np.float32).reshape(-1, 5)
    return Detections(labels, numbers[:, 0], numbers[:, 1:])
