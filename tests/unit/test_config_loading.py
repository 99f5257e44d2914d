"""From a file, or none, to a configuration; and one clear sentence where there is no reading it."""

import os
from pathlib import Path

import pytest

from daemon.config.loading import defaults, load
from framekeep.errors import ConfigurationError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_a_file_the_defaults_hold_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert load(None) == defaults(tmp_path)
    assert load(None).watch.roots == (tmp_path / "incoming",)


def test_an_empty_file_means_the_defaults_in_its_folder(path: Path):
    path.write_text("")
    assert load(path) == defaults(path.parent)


def test_a_files_name_may_be_relative(path: Path, monkeypatch: pytest.MonkeyPatch):
    path.write_text("[vault]\ndays = 1")
    monkeypatch.chdir(path.parent.parent)
    config = load(Path(path.parent.name, path.name))
    assert config.vault.days == 1
    assert config.watch.roots == (path.parent / "incoming",)


def test_a_byte_order_mark_and_windows_line_ends_are_read(path: Path):
    path.write_bytes(b"\xef\xbb\xbf[vault]\r\ndays = 1\r\n")
    assert load(path).vault.days == 1


def test_a_missing_file_is_told(path: Path):
    assert refusal(path) == f"{path} does not exist; framekeep config init writes one to start from"


def test_an_unreadable_file_is_told(tmp_path: Path):
    assert refusal(tmp_path) == f"{tmp_path} cannot be read: {os.strerror(21)}"


def test_an_error_of_syntax_is_told_with_line_and_column(path: Path):
    path.write_text("[vault]\ndays 7\n")
    assert refusal(path).startswith(f"{path} is not valid TOML: ")
    assert refusal(path).endswith("(at line 2, column 6)")


def test_an_endless_number_is_told(path: Path):
    path.write_text(f"vault.days = {'9' * 5000}")
    assert refusal(path).startswith(f"{path} is not valid TOML: ")


def test_another_encoding_is_told(path: Path):
    path.write_bytes("[watch]\nroots = ['Höfe']".encode("latin-1"))
    assert refusal(path) == f"{path} is not UTF-8 text (see byte 19); save it as UTF-8"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, "var/run"),
        ({"RUNTIME_DIRECTORY": ""}, "var/run"),
        ({"RUNTIME_DIRECTORY": "/run/framekeep"}, "/run/framekeep"),
        ({"RUNTIME_DIRECTORY": "/run/framekeep:/run/other"}, "/run/framekeep"),
    ],
)
def test_systemds_runtime_directory_wins(path: Path, environ: dict[str, str], folder: str):
    path.write_text("")
    assert load(path, environ).service.runtime_directory == path.parent / folder
