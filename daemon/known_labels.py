"""What pictures are known to show, for the keeper HRS (section 3.1's organiser, who knows each label)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from framekeep.errors import ConfigurationError, UsageError
from framekeep.keepers.labels import HighestRank
from framekeep.labelling.classes import Classes, classes_of
from framekeep.labelling.naming import told_by_name
from framekeep.labelling.written import read_csv
from framekeep.models.base import Model
from framekeep.reasons import Kept, Reason


@dataclass(frozen=True)
class KnownLabels:
    """Labels by a picture's path, which is relative to its root: as a CSV says, or without one as names say."""

    classes: Classes
    written: Mapping[str, str] | None

    @cached_property
    def version(self) -> str:
        """Equal for equal labels: with others, pictures are looked at again."""
        if self.written is None:
            return "names"
        return sha256(repr(sorted(self.written.items())).encode()).hexdigest()[:16]

    def keeper(self, path: str) -> HighestRank:
        """The keeper of one picture. Raises Kept where its label is not known, or is no class of the model."""
        label = told_by_name(self.classes, path) if self.written is None else self.written.get(path)
        if label is None:
            raise Kept(Reason.NO_KNOWN_LABEL)
        try:
            return HighestRank(self.classes.index(label))
        except ValueError as error:
            raise Kept(Reason.NO_KNOWN_LABEL, str(error)) from error


def known_labels(file: Path | None, model: Model) -> KnownLabels:
    """Raises ConfigurationError for a file that cannot be read."""
    try:
        return KnownLabels(classes_of(model.class_names), read_csv(file) if file else None)
    except UsageError as error:
        raise ConfigurationError(f"[selection] known_labels: {error}") from error
