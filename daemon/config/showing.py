"""From a configuration to TOML text."""

from importlib.resources import files
from typing import Any

import tomli_w

from daemon.config.schema import Config


def template() -> str:
    """The commented defaults, which a new installation starts from."""
    return (files("daemon.config") / "defaults.toml").read_text(encoding="utf-8")


def dump(config: Config) -> str:
    """Everything that is configured. Loading it gives an equal configuration."""
    return tomli_w.dumps(_plain(config))


def differences(config: Config, base: Config) -> str:
    """The keys with another value than in `base`, and every policy if any differs."""
    return tomli_w.dumps(_differing(_plain(config), _plain(base)))


def _plain(config: Config) -> dict[str, Any]:
    tables = config.model_dump(mode="json", exclude_none=True)
    return {name: table for name, table in tables.items() if table}  # "policy = []" would forbid to add a [[policy]]


def _differing(given: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in given.items() if value != base.get(key)}
    return {key: _differing(value, base[key]) if isinstance(value, dict) else value for key, value in changed.items()}
