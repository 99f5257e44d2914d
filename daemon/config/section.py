"""What every section of a configuration has in common."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationInfo

Key = TypeVar("Key")


class Section(BaseModel):
    """Frozen; refuses unknown keys and values of another kind; checks defaults as if they had been given."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False)


def describing_weights(given: Key, info: ValidationInfo) -> Key:
    """Refuses a key that tells of the file in `weights` where none is set."""
    if given is not None and info.data.get("weights", given) is None:
        raise ValueError("describes the file in weights, but weights is not set")
    return given
