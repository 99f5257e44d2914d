"""What the watcher delivers (`picture`) and what the walk reaches (`folder`, then `picture`) are the same."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.names import IGNORE, NameFilter
from storage.root import OWN

names = st.one_of(
    st.sampled_from(["gate", "x.jpg", ".x", "a.tmp", "@eaDir", "#old", OWN, ".FRAMEKEEP", "a\nb", "\udcff.JPG"]),
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=5).filter(lambda name: name.strip(".")),
)
paths = st.lists(names, min_size=1, max_size=5).map("/".join)
patterns = st.lists(st.sampled_from([*IGNORE, "!gate/", "!*.jpg", "gate/", "/a*/**", "*"]), max_size=6)


@given(paths, patterns)
@example("gate/.framekeep/x.jpg", ["!*.jpg"])
@settings(max_examples=300, deadline=None)
def test_each_picture_lies_in_folders_that_are_entered(path: str, ignore: list[str]):
    names_filter = NameFilter(include=["*"], ignore=ignore)
    parents = [path[:at] for at, character in enumerate(path) if character == "/"]
    if names_filter.picture(path):
        assert all(names_filter.folder(parent) for parent in parents)
        assert all(part.lower() != OWN for part in path.split("/"))


@given(paths, patterns)
@settings(max_examples=200, deadline=None)
def test_case_makes_no_difference(path: str, ignore: list[str]):
    names_filter = NameFilter(ignore=ignore)
    swapped = "".join(character.swapcase() if character.isascii() else character for character in path)
    assert names_filter.picture(path) == names_filter.picture(swapped)
    assert names_filter.folder(path) == names_filter.folder(swapped)
