"""From a file to a configuration that can be used, or to everything that is wrong with it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from daemon.config.faults import report
from daemon.config.schema import Config
from framekeep.errors import ConfigurationError

_NO_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({})


def load(path: Path | None, environ: Mapping[str, str] = _NO_ENVIRONMENT) -> Config:
    """The configuration in a file; None: the built-in defaults, relative to the current directory.

    systemd's RUNTIME_DIRECTORY in `environ` wins over the key of that name. Raises ConfigurationError with one line
    for each fault.
    """
    config = defaults(Path.cwd()) if path is None else _read(path)
    folder, _, _ = environ.get("RUNTIME_DIRECTORY", "").partition(":")  # systemd separates several by colons
    if not folder:
        return config
    service = config.service.model_copy(update={"runtime_directory": Path(folder)})
    return config.model_copy(update={"service": service})


def defaults(folder: Path) -> Config:
    """What an empty configuration file in this absolute folder means."""
    return Config.model_validate({}, context={"folder": folder})


def _read(path: Path) -> Config:
    try:
        return Config.model_validate(_parse(path), context={"folder": path.absolute().parent})
    except ValidationError as error:
        raise ConfigurationError(report(str(path), error, Config)) from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # some editors begin UTF-8 with a byte order mark
    except FileNotFoundError:
        raise ConfigurationError(f"{path} does not exist; framekeep config init writes one to start from") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text (see byte {error.start}); save it as UTF-8") from error
    except ValueError as error:  # tomllib's own, and Python's for a number of thousands of digits
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
