"""Patterns that can match nothing, and policies that can never hold."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.matches import fault_of_match, folder_of, superfluous
from daemon.names import NameFilter
from storage.patterns import compiled, folded

ROOTS = [Path("/srv/archive")]
NAMES = NameFilter()


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("gate/**", "gate"),
        ("/gate/**", "gate"),
        ("gate/2026/**", "gate/2026"),
        ("gate/2026/", "gate/2026"),
        ("/gate/", "gate"),
        ("gate/2026", "gate"),
        ("gate/*/x.jpg", "gate"),
        ("!gate/x.jpg", "gate"),
        ("g?te/x/**", ""),
        ("**/x/*.jpg", ""),
        ("*.jpg", ""),
        ("gate", ""),
        ("gate/", ""),
    ],
)
def test_the_folder_that_a_pattern_names(pattern: str, folder: str):
    assert folder_of(pattern) == folder


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("/srv/archive/gate/**", "is a path on this machine"),
        ("/srv/archive", "is a path on this machine"),
        ("../gate/**", ". and .. are not part of a picture's path"),
        ("./gate/**", ". and .. are not part of a picture's path"),
        ("gate/../yard/**", ". and .. are not part of a picture's path"),
        (".hidden/**", "[watch] ignore leaves that folder out"),
        ("nas/@eaDir/**", "[watch] ignore leaves that folder out"),
        (".framekeep/**", "[watch] ignore leaves that folder out"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_told(pattern: str, fault: str):
    assert fault in (fault_of_match(pattern, ROOTS, NAMES) or "")


@pytest.mark.parametrize("pattern", ["gate/**", "/gate/**", "srv/archive/**", "*.jpg", "!gate/x.jpg", "**"])
def test_other_patterns_are_left_alone(pattern: str):
    assert fault_of_match(pattern, ROOTS, NAMES) is None
    assert fault_of_match(pattern, [Path("/")], NAMES) is None


@pytest.mark.parametrize(
    ("matches", "told"),
    [
        ([["gate/**"], ["gate/**"]], ["#2 would do nothing: all of gate/** is matched by #1 before"]),
        ([["gate/**"], ["GATE/**"]], ["#2 "]),
        ([["gate/**", "yard/**"], ["yard/**"]], ["#2 "]),
        ([["g/**"], ["a/**"], ["g/x/**", "a/**"]], ["#3 would do nothing: all of g/x/**, a/** is matched by #1 and"]),
        ([["gate/**"], ["gate/night/*.jpg"]], ["#2 "]),
        ([["gate"], ["gate/night/**"]], ["#2 "]),
        ([["g*/**"], ["gate/**"]], ["#2 "]),
        ([["**"], ["gate/**"], ["*.jpg"]], ["#2 ", "#3 "]),
        ([["gate/**", "!gate/x.jpg"], ["gate/**", "!gate/x.jpg"]], ["#2 "]),
        ([["gate/**"], ["gate/**", "!gate/x.jpg"]], ["#2 "]),
        ([["gate/**", "!gate/x.jpg"], ["gate/**"]], []),
        ([["gate/night/**"], ["gate/**"]], []),
        ([["gate/**"], ["gate/**", "yard/**"]], []),
        ([["gate/*.jpg"], ["gate/**"]], []),
        ([["*.jpg"], ["gate/**"]], []),
    ],
)  # fmt: skip
def test_a_policy_that_can_never_hold_is_told(matches: list[list[str]], told: list[str]):
    found = list(superfluous(matches))
    assert len(found) == len(told)
    assert all(one.startswith(beginning) for one, beginning in zip(found, told, strict=True))


words = st.text("ab/*!", min_size=1, max_size=7).filter(lambda word: word.strip("/!") and not word.startswith("!!"))
patterns = st.lists(words, min_size=1, max_size=3).filter(lambda some: any(not one.startswith("!") for one in some))


@given(st.lists(patterns, min_size=2, max_size=4), st.from_regex("[ab]{1,3}(/[ab]{1,3}){0,3}", fullmatch=True))
def test_what_is_told_is_certain(matches: list[list[str]], path: str):
    specs = [compiled(match) for match in matches]
    holds = next((index for index, spec in enumerate(specs) if spec.match_file(folded(path))), None)
    told = {one.partition(" ")[0] for one in superfluous(matches)}
    assert holds is None or f"#{holds + 1}" not in told
