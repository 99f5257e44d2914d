"""Converted networks, kept from one start to the next: to convert one takes seconds, to read it again a tenth of one.

They lie in `networks` below systemd's $CACHE_DIRECTORY, else below $XDG_CACHE_HOME/framekeep or ~/.cache/framekeep, and
only where nobody else may write. What is read is tried like what was just converted (runtime.py), so the folder may be
deleted, spoilt or out of reach at any time: that costs the seconds again.
"""

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from framekeep.user_cache import user_cache

_GRAPH: Final = "network.xml"
_WEIGHTS: Final = "network.bin"
_MAKERS: Final = ("framekeep", "torch", "timm", "openvino")
_OTHERS_MAY_WRITE: Final = 0o022


def kept_at(network: str) -> Path:
    """Where a network's converted form lies, if it does; `network` tells its weights and transform."""
    made_of = (network, *(f"{maker} {version(maker)}" for maker in _MAKERS))
    return _folder() / "networks" / f"network-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]}"


def read_kept(folder: Path) -> Any | None:  # noqa: ANN401 - OpenVINO tells no types
    """An OpenVINO model; None where none is kept. Raises RuntimeError or OSError for one that cannot be read."""
    import openvino  # noqa: PLC0415 - only where it is wanted

    if not folder.is_dir() or not (_is_ours(folder.parent) and _is_ours(folder)):
        return None
    return openvino.Core().read_model((folder / _GRAPH).read_bytes(), (folder / _WEIGHTS).read_bytes())


def keep(model: Any, folder: Path) -> None:  # noqa: ANN401 - OpenVINO tells no types
    """Whole or not at all, in place of what may be there. Raises RuntimeError or OSError where it cannot be kept."""
    import openvino  # noqa: PLC0415 - only where it is wanted

    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_ours(folder.parent):
        return
    made = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    try:
        openvino.save_model(model, made / _GRAPH, compress_to_fp16=False)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _folder() -> Path:
    given = os.environ.get("CACHE_DIRECTORY")
    return Path(given.split(":")[0]) if given else user_cache()


def _is_ours(folder: Path) -> bool:
    status = folder.stat(follow_symlinks=False)
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE
