"""Lossless repacking of the entropy coding: the same coefficients in fewer bytes, as a progressive JPEG.

The library writes progressive files only. A variant that must be baseline is encoded with `optimize` instead, and an
original that must stay baseline is not squeezed.

MozJPEG's compressor ends the whole process when a coefficient is out of range. Our own encoder makes no such thing, but
a hostile original can hold one that every decoder accepts. So the originals are squeezed in a child process.
"""

import subprocess
import sys
from typing import Final

from mozjpeg_lossless_optimization import optimize

_PATIENCE_SECONDS: Final = 120
"""A hundred times what 6 million pixels take."""


def squeeze(coding: bytes) -> bytes:
    """A coding that our own encoder made, repacked, with no metadata but the encoder's JFIF."""
    return bytes(optimize(coding))


def squeeze_apart(data: bytes, seconds: float = _PATIENCE_SECONDS) -> bytes | None:
    """A camera's file, repacked in a child process, with no metadata that says nothing about colours.

    None where that cannot be done in this time. Whether the pixels are the same is for `same_pixels` to say.
    """
    command = [sys.executable, "-I", "-m", __name__]
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and module; the data goes to its standard input
            command, input=data, capture_output=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return child.stdout if child.returncode == 0 else None


if __name__ == "__main__":
    sys.stdout.buffer.write(squeeze(sys.stdin.buffer.read()))
