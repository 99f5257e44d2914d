"""What tells one file from another; and a root's open folders."""

import os

import pytest

from storage.files import inode_at, inode_of
from storage.root import Root


def on(device: int, number: int) -> os.stat_result:
    return os.stat_result((0o100644, number, device, 1, 0, 0, 0, 0, 0, 0))


def test_a_number_means_nothing_on_another_filesystem():
    assert inode_of(on(1, 7)) == inode_of(on(1, 7))
    assert inode_of(on(1, 7)) != inode_of(on(2, 7))


def test_a_file_at_a_name_or_none(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    folder = os.open(tmp_path, os.O_RDONLY)
    assert inode_at(folder, "a") == inode_at(folder, "b") == inode_of((tmp_path / "a").stat())
    assert inode_at(folder, "c") is None
    os.close(folder)


def test_a_root_is_closed_whatever_a_close_answers(tmp_path):
    root = Root(str(tmp_path))
    os.close(root.staged)
    root.close()
    for descriptor in (root.descriptor, root.own, root.vault):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
