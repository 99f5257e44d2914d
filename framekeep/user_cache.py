"""Where files lie that may be deleted at any time, since they can be made again."""

import os
from pathlib import Path


def user_cache() -> Path:
    """Framekeep's folder in the user's own cache. Raises RuntimeError for a user without a home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "framekeep"
