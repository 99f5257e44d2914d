"""What one exhaustive pass saw: of p pictures with n+1 variants each, sizes, ranks and the likeliest classes."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from framekeep.ladder import Ladder

Counting = Literal["paper", "daemon"]
"""How bytes are counted: plain encodings of whole files, or as the daemon writes them."""

TOP: Final = 6
"""Classes that are kept of a prediction: T5K compares five, and the sixth says how close that was."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that a picture's row depends on besides its bytes and its label.

    Not the device or runtime: all are fp32, and those on a CPU agree to 1e-4 in every logit at each start.
    """

    model: str
    digest: str
    transform: str
    ladder: Ladder
    encoder: str
    counting: Counting
    classes: int

    @property
    def variants(self) -> int:
        """n+1: the original and one for each rung."""
        return len(self.ladder) + 1

    @property
    def top(self) -> int:
        """The classes that are kept of each prediction."""
        return min(TOP, self.classes)

    def document(self) -> dict[str, Any]:
        """For JSON: equal for equal conditions."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        return plain | {"ladder": [rung.quality for rung in self.ladder.rungs]}


@dataclass(frozen=True)
class Observations:
    """Rows of pictures, columns of variants: 0 is the original, j the picture at the ladder's j-th rung."""

    conditions: Conditions
    class_names: Sequence[str]
    paths: tuple[str, ...]
    """Relative to the data set's folder; shape (p,) like all that has one value a picture."""
    sha256: tuple[bytes, ...]
    labels: NDArray[np.int32]
    """The ground truth's class index, shape (p,)."""
    originals: NDArray[np.int64]
    """Bytes of the file as it lies there, shape (p,)."""
    sizes: NDArray[np.int64]
    """Bytes that count if variant j is selected, shape (p, n+1)."""
    eligible: NDArray[np.bool_]
    """Which variants may be selected, shape (p, n+1): in the paper's way all of them."""
    ranks: NDArray[np.int32]
    """The ground truth's rank r_j, from 1, shape (p, n+1)."""
    truth: NDArray[np.float32]
    """The ground truth's probability, shape (p, n+1)."""
    top: NDArray[np.int32]
    """The six likeliest classes, likeliest first, shape (p, n+1, 6), or as many as there are."""
    probabilities: NDArray[np.float32]
    """Their probabilities, the same shape."""

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def ladder(self) -> Ladder:
        return self.conditions.ladder
