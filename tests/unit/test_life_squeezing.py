"""When the original is squeezed, too."""

from types import SimpleNamespace

import pytest

from daemon.life import _may_win
from framekeep.reasons import Reason
from framekeep.variants import Written

ORIGINAL = SimpleNamespace(data=bytes(1175), width=80, height=80)  # 175 of its bytes may be for empty blocks


def sheet(guesses: tuple[int, ...] | None = None, recorded: object = None, *, progressive: bool = True):
    rules = SimpleNamespace(encoder=SimpleNamespace(progressive=progressive))
    return SimpleNamespace(followed_guesses=guesses, recorded=recorded, rules=rules)


def left(size: int) -> Written:
    return Written(bytes(size), None, Reason.QUALIFIED)


@pytest.mark.parametrize(
    ("picture", "variant", "is_wanted"),
    [
        (sheet(), None, True),
        (sheet(), left(601), True),
        (sheet(), left(600), False),
        (sheet((3,)), None, True),
        (sheet((3,)), left(941), True),
        (sheet((3,)), left(940), False),
        (sheet(()), left(700), False),
        (sheet(recorded=object()), None, False),
        (sheet(progressive=False), None, False),
    ],
)
def test_the_original_is_squeezed_where_it_may_be_what_is_written(
    picture: SimpleNamespace, variant: Written | None, is_wanted: bool
):
    assert _may_win(picture, ORIGINAL, variant) is is_wanted
