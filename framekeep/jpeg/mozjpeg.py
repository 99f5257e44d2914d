"""MozJPEG's encoder, by way of libvips. It is optional: `pip install "framekeep[best]"`.

Its trellis quantisation chooses the coefficients that cost the fewest bits for the error they make. What it writes has
Huffman tables of its own. It makes the same file each time; Pillow could not make the same coefficients.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # a configuration asks whether the encoder is there, and needs no pictures
    from PIL import Image

INSTALL: Final = 'it needs MozJPEG: pip install "framekeep[best]" into framekeep\'s own environment'
_HALVED: Final = {"4:2:0": "on", "4:4:4": "off"}
"""libvips's word for each chroma subsampling that it can write."""
SUBSAMPLINGS: Final = tuple(_HALVED)


def is_installed() -> bool:
    """Whether the library is there, without loading it; `works` says whether it is the right one."""
    return find_spec("pyvips") is not None


@cache
def works() -> bool:
    """Whether libvips can be loaded and was built with MozJPEG. With another libjpeg it ignores what it cannot do."""
    from PIL import Image  # noqa: PLC0415 - as above

    noise = Image.effect_noise((64, 64), 64)
    try:
        return _saved(noise, 50, "4:2:0", trellis_quant=True) != _saved(noise, 50, "4:2:0", trellis_quant=False)
    except (ImportError, OSError):  # no library, or none that fits
        return False


def encode_mozjpeg(image: "Image.Image", quality: int, tables: int, subsampling: str) -> bytes:
    """A picture (mode L or RGB) as a baseline JPEG; subsampling: "4:2:0" or "4:4:4", for colours.

    tables: the number of the quantisation tables that `quality` scales, as MozJPEG counts them.
    """
    return _saved(image, quality, subsampling, trellis_quant=True, overshoot_deringing=True, quant_table=tables)


def _saved(image: "Image.Image", quality: int, subsampling: str, **options: int) -> bytes:
    colours = ("b-w", 1) if image.mode == "L" else ("srgb", 3)
    pixels = _vips().Image.new_from_memory(image.tobytes(), *image.size, colours[1], "uchar")
    saved: bytes = pixels.copy(interpretation=colours[0]).jpegsave_buffer(
        Q=quality, subsample_mode=_HALVED[subsampling], optimize_coding=True, keep="none", **options
    )
    return saved


@cache
def _vips() -> ModuleType:
    """libvips, loaded by the first who needs it. It shall neither keep pictures nor start threads: ours suffice."""
    pyvips = import_module("pyvips")  # here: it is optional, and slow to load
    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)
    return pyvips
