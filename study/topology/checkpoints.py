"""Checkpoints: plain tensors and numbers, which are read without trusting them, and are there whole or not at all."""

from pathlib import Path
from typing import Any

import torch

from framekeep.errors import UsageError


def save(content: dict[str, Any], path: Path) -> None:
    """Raises UsageError where there is no room for it."""
    partial = path.with_suffix(".partial")
    try:
        torch.save(content, partial)
        partial.rename(path)
    except (OSError, RuntimeError) as error:  # PyTorch's writer makes a RuntimeError of a full disk
        partial.unlink(missing_ok=True)
        raise UsageError(f"the checkpoint {path} cannot be written: {error}") from error


def load(path: Path) -> dict[str, Any]:
    """Raises UsageError for a file that is none, and for one that holds more than tensors and numbers."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise UsageError(f"the checkpoint {path} cannot be read: {reason}") from error
    return content
