"""How names that may hold anything are shown."""

import os

import pytest

from storage.names import printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("gate/1.jpg", "gate/1.jpg"),
        ("Einfahrt Süd/1.jpg", "Einfahrt Süd/1.jpg"),
        ("a\nb.jpg", "a\\x0ab.jpg"),
        ("\x1b[31mred.jpg", "\\x1b[31mred.jpg"),
        (os.fsdecode(b"latin\xe9.jpg"), "latin\\xe9.jpg"),
        ("right\u202eto-left.jpg", "right\\xe2\\x80\\xaeto-left.jpg"),
    ],
)
def test_printable(name, shown):
    assert printable(name) == shown
