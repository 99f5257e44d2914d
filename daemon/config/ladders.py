"""Which ladders go with which floors, encoders and searches."""

from framekeep.jpeg.mozjpeg import SUBSAMPLINGS
from framekeep.ladder import Ladder


def check_floor(ladder: Ladder, floor_quality: int) -> None:
    """Raises ValueError where a floor leaves nothing of a ladder."""
    ladder.above(floor_quality)


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
