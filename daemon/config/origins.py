"""Where each value comes from that holds for a picture: a policy, a section of the configuration, or a default."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from daemon.config.schema import Config
from daemon.config.staging import PolicyBlock, StageBlock

_ELSEWHERE: Final = {"vault_days": ("vault", "days")}
"""What a section calls otherwise than a policy does."""
_NOWHERE: Final = {"exclude": False}
"""What only a policy can set, with what holds without one."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value that holds. `key` is as a policy calls it."""

    key: str
    value: Any
    """In TOML's and JSON's kinds."""
    origin: str
    """ "[[policy]] #2", "[selection]", "[vault] days"; "default" where nothing can set it but a policy. """
    is_default: bool
    """The configuration does not name it."""


def values_of(config: Config, index: int | None, stage: StageBlock | None = None) -> Iterator[Value]:
    """Everything that a policy can change, as it holds under the block of this index; None: no block matches.

    `stage` is the one that the picture has reached.
    """
    of_stage = stage.model_dump(mode="json") if stage else {}
    plain = config.model_dump(mode="json")
    block = config.policy[index] if index is not None else None
    for key in PolicyBlock.model_fields:
        if key == "match":
            continue
        if stage is not None and key in stage.overrides:
            yield Value(key, of_stage[key], f"the stage from {stage.from_days:g} days", is_default=False)
        elif block is not None and index is not None and key in block.overrides:
            yield Value(key, plain["policy"][index][key], f"[[policy]] #{index + 1}", is_default=False)
        else:
            yield _general(config, plain, key)


def _general(config: Config, plain: dict[str, Any], key: str) -> Value:
    """What holds where no policy says otherwise."""
    if key in _NOWHERE:
        return Value(key, _NOWHERE[key], "default", is_default=True)
    section, own = _ELSEWHERE.get(key) or (_section_of(config, key), key)
    given = getattr(config, section).model_fields_set
    origin = f"[{section}]" if own == key else f"[{section}] {own}"
    return Value(key, plain[section][own], origin, is_default=own not in given)


def _section_of(config: Config, key: str) -> str:
    return next(
        name for name in type(config).model_fields if key in getattr(type(getattr(config, name)), "model_fields", ())
    )
