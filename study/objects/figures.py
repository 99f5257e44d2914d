"""Figures of many pictures, which are sums: they are kept, the pictures are not."""

from dataclasses import astuple, dataclass
from functools import reduce
from operator import add


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one rule: how many pictures there are, and how many of them it changed in which way."""

    pictures: int = 0
    found: int = 0
    """In whose originals there are objects."""
    before: int = 0
    """Bytes."""
    after: int = 0
    lost: int = 0
    new: int = 0
    either: int = 0
    top1: int = 0
    recognised: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    @property
    def ratio(self) -> float:
        return self.before / self.after

    def share(self, count: int) -> float:
        return count / self.pictures


class Tally:
    """Adds up by camera and by rule."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, Figures]] = {}

    def add(self, camera: str, rule: str, figures: Figures) -> None:
        of_camera = self._sums.setdefault(camera, {})
        of_camera[rule] = of_camera.get(rule, Figures()) + figures

    @property
    def cameras(self) -> dict[str, dict[str, Figures]]:
        """Each camera's figures by rule; cameras by name, rules as they came."""
        return dict(sorted(self._sums.items()))


def overall(cameras: dict[str, dict[str, Figures]]) -> dict[str, Figures]:
    """The figures of all cameras together, by rule."""
    rules = next(iter(cameras.values()))
    return {rule: reduce(add, (figures[rule] for figures in cameras.values())) for rule in rules}
