"""Whether the watched roots are there."""

from pathlib import Path

import pytest

from daemon.config.loading import load
from daemon.config.roots import check_roots
from framekeep.errors import ConfigurationError


def check(folder: Path, *roots: str) -> None:
    path = folder / "config.toml"
    path.write_text(f"[watch]\nroots = {list(roots)}\n")
    check_roots(load(path))


def test_folders_pass(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    check(tmp_path, "a", str(tmp_path / "b"))


def test_every_fault_is_told_at_once(tmp_path: Path):
    (tmp_path / "good").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("good")
    (tmp_path / "loop").symlink_to("loop")
    faults = {
        "missing": "does not exist",
        "file": "is not a folder",
        "link": "is a symbolic link; give the path of the folder itself",
        "loop": "is a symbolic link",
        "x" * 300: "cannot be looked at: File name too long",
    }
    with pytest.raises(ConfigurationError) as caught:
        check(tmp_path, "good", *faults)
    first, *lines = str(caught.value).splitlines()
    assert first == "watch.roots cannot be used: 5 errors"
    for line, (name, words) in zip(lines, faults.items(), strict=True):
        assert line.startswith(f"  {tmp_path / name} {words}")


def test_a_folder_below_a_file_does_not_exist(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file/below does not exist"):
        check(tmp_path, "file/below")


@pytest.mark.parametrize("hidden", ["alias/b", "alias/b/c"])
def test_a_link_above_a_root_does_not_hide_that_it_lies_in_another(tmp_path: Path, hidden: str):
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "alias").symlink_to("a")
    with pytest.raises(ConfigurationError, match="1 error") as caught:
        check(tmp_path, "a/b", hidden)
    assert f"{tmp_path}/a/b and {tmp_path}/{hidden} share pictures" in str(caught.value)
