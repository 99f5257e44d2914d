"""What makes a model the same one at two times, besides its file: its class names, and how it is shown a picture."""

import hashlib
import json

from framekeep.models.base import Model
from framekeep.models.both import parts_of


def names_of(model: Model) -> str:
    """How many classes, and the SHA-256 of their names in order: rows that changed places change every label."""
    names = json.dumps(list(model.class_names), ensure_ascii=False)
    return f"{len(model.class_names)} ({hashlib.sha256(names.encode()).hexdigest()[:16]})"


def use_of(model: Model) -> str:
    """A digest of names and transforms, a detector's declared conventions among them."""
    parts = [(names_of(part), part.transform) for part in parts_of(model)]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:32]
