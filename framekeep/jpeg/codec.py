"""Pixels in and out: Pillow decodes and encodes. Both run without the GIL, so that threads share the work."""

import io
import os
import struct
from contextlib import suppress
from functools import cache
from importlib.metadata import version

from PIL import Image, ImageChops, features
from PIL.JpegImagePlugin import JpegImageFile

from framekeep.jpeg.markers import APP0, APP14, Layout, walk, without
from framekeep.jpeg.mozjpeg import encode_mozjpeg
from framekeep.ladder import MOZJPEG, PLAIN, Rung
from framekeep.reasons import Kept, Reason

_UNDECODABLE = (OSError, SyntaxError, ValueError, struct.error)
"""What Pillow raises for bytes that it cannot make a picture of."""


def opened(data: bytes, layout: Layout) -> JpegImageFile:
    """Pillow's view of the header; the pixels are not decoded yet. Raises Kept where Pillow cannot read it.

    Only the coding is shown to Pillow, with the two segments that bear on colours: what its parsers would do with a
    hostile EXIF (slowness, warnings) has no bearing on pixels. Its class is called by name because Image.open would
    warn about large pictures; the limits that hold here were checked before.
    """
    unneeded = [segment for segment in layout.metadata if segment.marker not in (APP0, APP14)]
    try:
        return JpegImageFile(io.BytesIO(without(data, unneeded)))
    except _UNDECODABLE as error:
        raise Kept(Reason.DAMAGED, f"Pillow cannot open it: {error}") from error


def decode(data: bytes) -> Image.Image:
    """The pixels as Pillow decodes them, mode L or RGB, not turned by EXIF. Raises Kept where it cannot."""
    image = opened(data, walk(data))
    try:
        image.load()
    except _UNDECODABLE as error:
        raise Kept(Reason.DAMAGED, f"Pillow cannot decode it: {error}") from error
    return image


def encode(image: Image.Image, rung: Rung, subsampling: str, *, optimize: bool = False) -> bytes:
    """The variant of a picture (mode L or RGB) at a rung: baseline JPEG with no metadata but the encoder's JFIF.

    subsampling: "4:2:0", "4:2:2" or "4:4:4", for colours. optimize: Huffman tables made for this picture; it takes
    twice as long and changes nothing else: coefficients and so pixels are the same. MozJPEG always does so.
    """
    if rung.encoder != PLAIN:
        return encode_mozjpeg(image, rung.quality, MOZJPEG[rung.encoder], subsampling)
    if optimize:
        # Pillow guesses how large its buffer must be. Noise outgrows the guess, and then the usual tables have to do.
        with suppress(OSError):
            return _save(image, rung.quality, subsampling, optimize=True)
    return _save(image, rung.quality, subsampling, optimize=False)


def same_pixels(one: bytes, other: bytes) -> bool:
    """Whether two files decode to the same mode, size and pixels; one that does not decode is equal to none."""
    try:
        return shows(one, decode(other))
    except Kept:
        return False


def shows(data: bytes, image: Image.Image) -> bool:
    """Whether a file decodes to just this picture: its mode, size and pixels."""
    try:
        decoded = decode(data)
    except Kept:
        return False
    if (decoded.mode, decoded.size) != (image.mode, image.size):
        return False
    return ImageChops.difference(decoded, image).getbbox() is None  # faster than comparing bytes, which are copies


@cache
def encoder_versions() -> str:
    """What made a variant, for the ledger: "pillow 12.0.0, libjpeg-turbo 3.1.2, mozjpeg-lossless 1.3.1"."""
    library = "libjpeg-turbo" if features.check_feature("libjpeg_turbo") else "libjpeg"
    jpeg = features.version_feature("libjpeg_turbo") or features.version_codec("jpg")
    squeezer = version("mozjpeg-lossless-optimization")
    return f"pillow {version('pillow')}, {library} {jpeg}, mozjpeg-lossless {squeezer}"


def _save(image: Image.Image, quality: int, subsampling: str, *, optimize: bool) -> bytes:
    colour = {} if image.mode == "L" else {"subsampling": subsampling}
    # Pillow lets go of the GIL only while it encodes into a file that has a descriptor, so this is one in memory.
    with open(os.memfd_create("variant"), "w+b") as file:  # noqa: PTH123 - a descriptor has no path
        image.save(file, "JPEG", quality=quality, optimize=optimize, comment=b"", **colour)
        file.seek(0)
        return file.read()
