"""Paths in JSON: text where they are UTF-8, and always exact."""

import os
from base64 import b64encode
from typing import Any


def path_fields(path: str) -> dict[str, Any]:
    r"""`path`, where bytes that are no UTF-8 are `\xNN`; if there are any, also `path_bytes`, in base64."""
    text = as_text(path)
    return {"path": text} | ({"path_bytes": b64encode(os.fsencode(path)).decode()} if text != path else {})


def as_text(name: str) -> str:
    r"""A name with `\xNN` for each byte that is no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
