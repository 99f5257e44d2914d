"""Which ladders go with which floors, encoders and searches."""

from typing import Literal

from framekeep.jpeg.mozjpeg import SUBSAMPLINGS
from framekeep.ladder import PLAIN, Ladder


def check_floor(ladder: Ladder, floor_quality: int) -> None:
    """Raises ValueError where a floor leaves nothing of a ladder."""
    ladder.above(floor_quality)


def check_regions(ladder: Ladder, objects: Literal["off", "exact"] | int) -> None:
    """Raises ValueError where no rung is left for a background below the objects' quality."""
    if isinstance(objects, int) and all(rung.quality >= objects for rung in ladder.of(PLAIN)):
        raise ValueError(f"regions = {objects} leaves no lower quality in the ladder {ladder.name} for a background")


def check_search(ladder: Ladder, search: str) -> None:
    """Raises ValueError for a quick search on a ladder whose order is another one for each picture."""
    if ladder.is_mixed and search == "quick":
        raise ValueError(
            f'search should be "exact" with the ladder {ladder.name}: '
            "where one picture's rung stands in the order of the next cannot be told without encoding it all"
        )


def check_subsampling(ladder: Ladder, subsampling: str) -> None:
    """Raises ValueError for what not all encoders of a ladder can write."""
    if ladder.is_mixed and subsampling not in SUBSAMPLINGS:
        raise ValueError(f"subsampling should be {' or '.join(SUBSAMPLINGS)} with the ladder {ladder.name}")
