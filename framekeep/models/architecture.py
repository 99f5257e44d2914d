"""What timm knows about a model's name."""

from difflib import get_close_matches

import timm
from timm.models import PretrainedCfg

from framekeep.errors import ModelUnavailableError


def published(name: str) -> PretrainedCfg:
    """The record that timm keeps of a model: classes, licence, where the hub has it. Raises ModelUnavailableError."""
    if not timm.is_model(name):
        raise ModelUnavailableError(f"timm knows no model {name!r}{_suggestion(name)}; framekeep models lists some")
    try:
        return timm.get_pretrained_cfg(name) or PretrainedCfg()
    except RuntimeError as error:
        raise ModelUnavailableError(f"timm knows no such weights: {error}{_suggestion(name)}") from error


def _suggestion(name: str) -> str:
    close = get_close_matches(name, timm.list_pretrained(), n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""
