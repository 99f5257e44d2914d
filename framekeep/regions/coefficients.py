"""A file's DCT coefficients, read and written by jpeglib without any loss.

Its libjpeg ends the process on some hostile files, and it works with files and globals: call it in a child process.
"""

import tempfile
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIBJPEG: Final = "turbo210"
_GRAY, _YCBCR = 1, 3


class ImpossibleError(ValueError):
    """Regions of this picture cannot be coded apart; the message says why."""


@dataclass(frozen=True)
class Plane:
    """One component. `sampling` is its horizontal and vertical factor, `covers` what a block covers, in pixels."""

    blocks: NDArray[np.int16]
    """Quantised: shape (rows, columns, 8, 8), the vertical frequency first."""
    table: NDArray[np.int32]
    """What a step is worth: shape (8, 8)."""
    sampling: tuple[int, int]
    covers: tuple[int, int]


@dataclass(frozen=True)
class Coded:
    """A file's planes, and what else jpeglib needs to write such a file."""

    planes: tuple[Plane, ...]
    jpeg: Any


def read_planes(data: bytes) -> Coded:
    """A file without metadata. Raises ImpossibleError, and OSError where the disk has no room for a copy."""
    import jpeglib  # noqa: PLC0415 - only child processes need it

    jpeglib.version.set(_LIBJPEG)
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        try:
            jpeg = jpeglib.read_dct(file.name)
            jpeg.load()
        except OSError as error:
            if error.errno is not None:  # the disk's failure, not the picture's
                raise
            raise ImpossibleError("its coefficients cannot be read") from error
    components = [component for component in (jpeg.Y, jpeg.Cb, jpeg.Cr) if component is not None]
    if int(jpeg.jpeg_color_space) != (_GRAY if len(components) == 1 else _YCBCR):
        raise ImpossibleError("its colours are not coded as YCbCr")
    factors = [(int(h), int(v)) for v, h in jpeg.samp_factor]
    return Coded(tuple(_planes(jpeg, components, factors)), jpeg)


def _planes(jpeg: Any, components: "Sequence[NDArray[np.int16]]", factors: list[tuple[int, int]]) -> list[Plane]:  # noqa: ANN401 - jpeglib has no types
    most = max(h for h, _ in factors), max(v for _, v in factors)
    return [
        Plane(
            np.ascontiguousarray(component),
            np.asarray(jpeg.get_component_qt(number), dtype=np.int32),
            (h, v),
            (8 * most[0] // h, 8 * most[1] // v),
        )
        for number, (component, (h, v)) in enumerate(zip(components, factors, strict=True))
    ]


def write_planes(coded: Coded, planes: "Sequence[Plane]") -> bytes:
    """A sequential file with Huffman tables made for it, like the one that was read but for blocks and tables.

    Raises OSError where the disk has no room for it.
    """
    jpeg = coded.jpeg
    jpeg.Y = planes[0].blocks
    if len(planes) > 1:
        jpeg.Cb, jpeg.Cr = planes[1].blocks, planes[2].blocks
    jpeg.qt, jpeg.quant_tbl_no = _tables(planes)
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        jpeg.write_dct(file.name, flags=["OPTIMIZE_CODING"])
        return Path(file.name).read_bytes()


def _tables(planes: "Sequence[Plane]") -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """The different tables, and which one each component has."""
    different: list[NDArray[np.int32]] = []
    numbers = []
    for plane in planes:
        same = [number for number, table in enumerate(different) if np.array_equal(table, plane.table)]
        if not same:
            different.append(plane.table)
        numbers.append(same[0] if same else len(different) - 1)
    return np.stack(different).astype(np.uint16), np.array(numbers, dtype=np.int16)


@cache
def standard_tables(quality: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Those of Pillow's encoder at a QF: luma's and chroma's, shape (8, 8)."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        tables: dict[int, list[int]] = image.quantization  # type: ignore[attr-defined]  # JPEG's own attribute
        luma, chroma = (np.array(tables[number], dtype=np.int32).reshape(8, 8) for number in (0, 1))
    return luma, chroma
