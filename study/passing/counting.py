"""The variants of one picture: which bytes the network is shown, and how many bytes count for each."""

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from framekeep.jpeg.codec import decode, encode, same_pixels
from framekeep.jpeg.markers import walk
from framekeep.jpeg.source import Limits, Original, understand
from framekeep.jpeg.squeeze import squeeze_apart
from framekeep.ladder import Ladder
from framekeep.models.base import Prepared
from framekeep.reasons import Kept, Reason
from framekeep.variants import Encoder, Variant, climb, settle_on, squeezed_variant
from study.observations import Counting

ENCODER: Final = Encoder("4:2:0", progressive=True)
"""As Pillow and the daemon have it by default."""
LIMITS: Final = Limits(max_bytes=64_000_000, max_pixels=80_000_000)
"""The daemon's."""
_MIN_SAVING: Final = 0.01
"""The daemon's default."""


@dataclass(frozen=True)
class Tried:
    """A picture with its n+1 variants, ready to be looked at: bytes that count, and which may be selected."""

    sha256: bytes
    original: int
    sizes: tuple[int, ...]
    eligible: tuple[bool, ...]
    prepared: tuple[Prepared, ...]


@dataclass(frozen=True, slots=True)
class _Counted:
    """One variant."""

    data: bytes
    size: int
    eligible: bool = True


def read(path: Path) -> tuple[bytes, bytes]:
    """A file's bytes and their SHA-256. Raises Kept where it cannot be read or is too large."""
    try:
        with open(path, "rb", opener=_unblocked) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Kept(Reason.NOT_A_FILE)
            data = file.read(LIMITS.max_bytes + 1)
    except OSError as error:
        raise Kept(Reason.UNREADABLE, error.strerror or str(error)) from error
    if len(data) > LIMITS.max_bytes:
        raise Kept(Reason.TOO_LARGE, f"more than {LIMITS.max_bytes:,} bytes")
    return data, hashlib.sha256(data).digest()


def _unblocked(path: str, flags: int) -> int:
    """O_NONBLOCK: a FIFO with a picture's name must not stop anybody."""
    return os.open(path, flags | os.O_NONBLOCK)


def try_out(
    data: bytes, sha256: bytes, ladder: Ladder, counting: Counting, prepare: Callable[[Image.Image], Prepared]
) -> Tried:
    """Makes every variant of a picture. Raises Kept for one that cannot be decoded or is too large."""
    frame = walk(data).frame
    if frame.width * frame.height > LIMITS.max_pixels:
        raise Kept(Reason.TOO_LARGE, f"{frame.width} x {frame.height} pixels")
    counted = (_as_paper if counting == "paper" else _as_daemon)(data, ladder)
    return Tried(
        sha256,
        len(data),
        tuple(one.size for one in counted),
        tuple(one.eligible for one in counted),
        tuple(prepare(decode(one.data)) for one in counted),
    )


def _as_paper(data: bytes, ladder: Ladder) -> list[_Counted]:
    """Plain encodings of whole files; none is refused, also where it is larger than the original."""
    image = _encodable(decode(data))
    variants = [encode(image, rung, ENCODER.subsampling) for rung in ladder.rungs]
    return [_Counted(one, len(one)) for one in (data, *variants)]


def _encodable(image: Image.Image) -> Image.Image:
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _as_daemon(data: bytes, ladder: Ladder) -> list[_Counted]:
    """Metadata carried, squeezed, never larger than the original; what the daemon does not touch stays as it is."""
    try:
        original = understand(data, LIMITS)
    except Kept:
        return [_Counted(data, len(data)), *(_Counted(data, len(data), eligible=False) for _ in ladder.rungs)]
    image = decode(data)
    variants = [climb(original, image, rung, ENCODER) for rung in ladder.rungs]
    squeezed = squeeze_apart(data)
    if squeezed is not None and not same_pixels(squeezed, data):
        squeezed = None
    counted = [_Counted(data, _written(original, squeezed, None))]
    return counted + [_of_variant(original, squeezed, variant) for variant in variants]


def _of_variant(original: Original, squeezed: bytes | None, variant: Variant) -> _Counted:
    eligible = len(variant.data) < len(original.data)
    size = _written(original, squeezed, variant) if eligible else len(original.data)
    return _Counted(variant.data, size, eligible)


def _written(original: Original, squeezed: bytes | None, chosen: Variant | None) -> int:
    try:
        variant = squeezed_variant(original, chosen, decode(chosen.data), ENCODER) if chosen else None
        return len(settle_on(original, squeezed, variant, _MIN_SAVING).data)
    except Kept:
        return len(original.data)
