"""The heart: what to keep, and why. Knows JPEG and the DNN; no database, no watcher, no command line."""

from typing import Final

__version__: Final = "0.1.0"
