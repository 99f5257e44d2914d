"""What every model of record offers, whatever kind of evidence it makes."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PIL import Image

from framekeep.evidence import Evidence

Prepared = Any
"""One picture as the model that made it wants it, which nobody else looks into."""


class Model(Protocol):
    """A model of record: fp32, with its own published evaluation transform."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """SHA-256 of the file of weights, in hexadecimal."""

    @property
    def class_names(self) -> Sequence[str]: ...

    @property
    def transform(self) -> str:
        """The evaluation transform in words, which are equal for equal transforms."""

    @property
    def device(self) -> str:
        """As decisions record it: "cpu", or "cuda:0" and the GPU's name."""

    def prepare(self, image: Image.Image) -> Prepared:
        """The evaluation transform; may be called by many threads at once.

        Raises Kept for a picture that the transform cannot take.
        """

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        """The evidence of each picture, in order; called by one thread at a time.

        Raises ModelUnavailableError where not even one picture fits the GPU's memory, or where the GPU fails,
        FloatingPointError where the model's answer is not finite.
        """


def timed_look(model: Model, clock: Callable[[], float]) -> float:
    """Seconds that a model which has warmed up takes to look at one drawn picture."""
    picture = model.prepare(Image.linear_gradient("L").resize((640, 480)))
    model.look([picture])
    start = clock()
    model.look([picture])
    return clock() - start
