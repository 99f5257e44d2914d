import pytest

from daemon.names import NameFilter

DEFAULT = NameFilter()


@pytest.mark.parametrize(
    "path",
    [
        "a.jpg",
        "gate/2024/05/IMG_1.JPG",
        "gate/x.jpeg",
        "gate/x.JpE",
        "gate/x.jfif",
        "gate/two words.jpg",
        "gate/caf\udce9.jpg",
        "line\nfeed/x.jpg",
        "gate/back\\slash.jpg",
        "gate/tmp.jpg",
    ],
)
def test_pictures(path: str):
    assert DEFAULT.picture(path)


@pytest.mark.parametrize(
    "path",
    [
        "gate/x.png",
        "gate/x.jpg.txt",
        "gate/x.jpg\n",
        "gate/x",
        "gate/.x.jpg",
        "gate/._x.jpg",
        "gate/x.jpg~",
        "gate/x.jpg.tmp",
        "gate/x.jpg.part",
        "gate/x.jpg.filepart",
        "gate/x.jpg.crdownload",
        ".hidden/x.jpg",
        "gate/upload.TMP/x.jpg",
        "gate/@eaDir/x.jpg/SYNOPHOTO_THUMB_M.jpg",
        "#recycle/x.jpg",
        "gate/#snapshot/x.jpg",
        "gate/.@__thumb/x.jpg",
        "@Recycle/deep/er/x.jpg",
        "lost+found/x.jpg",
        "$RECYCLE.BIN/x.jpg",
        ".framekeep/vault/x.jpg",
        "gate/.framekeep/x.jpg",
    ],
)
def test_other_names(path: str):
    assert not DEFAULT.picture(path)


def test_folders():
    assert DEFAULT.folder("")
    assert DEFAULT.folder("gate/2024")
    assert not DEFAULT.folder("gate/@eaDir")
    assert not DEFAULT.folder("gate/.x/2024")


def test_own_folder_is_refused_whatever_is_configured():
    everything = NameFilter(include=["*", "!nothing"], ignore=["!.framekeep", "!.framekeep/"])
    assert everything.picture("gate/.hidden.jpg")
    assert not everything.folder(".framekeep")
    assert not everything.folder("gate/.FrameKeep/vault")
    assert not everything.picture(".framekeep/tmp/x.jpg")


def test_configured_patterns_decide():
    names = NameFilter(include=["gate/**/*.JPG", "!*_thumb.jpg"], ignore=["/gate/private/", "#old/"])
    assert names.picture("gate/2024/x.jpg")
    assert not names.picture("gate/2024/x_thumb.jpg")
    assert not names.picture("yard/x.jpg")
    assert not names.picture("gate/private/x.jpg")
    assert names.picture("gate/yard/private/x.jpg")
    assert not names.folder("gate/#old")


def test_nothing_in_an_ignored_folder_can_be_asked_back():
    names = NameFilter(ignore=["gate/", "!gate/keep.jpg"])
    assert not names.picture("gate/keep.jpg")


@pytest.mark.parametrize("pattern", ["", "  ", "/", "gate/[", "[z-a]", "\\"])
def test_a_pattern_that_matches_nothing_is_an_error(pattern: str):
    with pytest.raises(ValueError, match="a pattern as in"):
        NameFilter(ignore=[pattern])


def test_a_hostile_depth_of_folders():
    deep = "a/" * 2000
    assert DEFAULT.picture(f"{deep}x.jpg")
    assert not DEFAULT.picture(f".a/{deep}x.jpg")
