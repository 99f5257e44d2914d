"""The files in which owners name their classes."""

from pathlib import Path

import pytest

from framekeep.errors import ModelUnavailableError
from framekeep.models.names import read_class_names, read_names


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"cat\ndog\n", ("cat", "dog")),
        (b"\xef\xbb\xbfcat\r\ndog\r\n\r\n", ("cat", "dog")),
        ("Käfer, groß\nMücke".encode(), ("Käfer, groß", "Mücke")),
    ],
)
def test_one_name_a_line(tmp_path: Path, data: bytes, names: tuple[str, ...]) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(data)
    assert read_class_names(file) == names


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cat\n\ndog\n", "line 2 of .* is empty"),
        (b"cat\n", "one name only"),
        (b"", "line 1 of .* is empty"),
        (b"\xff\xfe", "cannot be read"),
        (b"cat\ndog\n cat \n", "line 3 of .* is 'cat' again, as line 1 is"),
    ],
)
def test_what_is_no_list_of_names_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(data)
    with pytest.raises(ModelUnavailableError, match=message):
        read_class_names(file)


def test_what_is_no_class_may_stand_there_again(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("__background__\nperson\nN/A\nN/A\nCat\ncat\n")
    assert read_names(file) == ("__background__", "person", "N/A", "N/A", "Cat", "cat")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="No such file"):
        read_class_names(tmp_path / "names.txt")
