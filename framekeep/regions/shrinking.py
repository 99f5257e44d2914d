"""Objects as they were, background coarser: one file in which no decoder needs to know of it.

All of this reads a camera's file with jpeglib, so it belongs into a child process.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from framekeep.floor import Floor
from framekeep.jpeg.codec import decode
from framekeep.jpeg.markers import APP14, walk, without
from framekeep.ladder import EXACT, Rung
from framekeep.regions.coarsening import WEIGHTS, coarsened
from framekeep.regions.coefficients import Coded, ImpossibleError, Plane, read_planes, standard_tables, write_planes
from framekeep.regions.rule import Region

_MOST_COEFFICIENTS: Final = 36_000_000
"""24 megapixels with chroma at half the size: half a minute for each rung."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A coding without metadata, and its regions with their digests."""

    coding: bytes
    regions: tuple[Region, ...]


def shrink_around(data: bytes, regions: tuple[Region, ...], rung: Rung, subsampling: str) -> Shrunk:
    """A camera's file with its objects at one quality and the rest at a lower one.

    It is as small as it can be without looking worse, by SSIM, than the whole frame that Pillow's encoder makes at the
    background's QF with this subsampling; or, where it always does, as good as it can be. Raises ImpossibleError.
    """
    coded = _read(data)
    if sum(plane.blocks.size for plane in coded.planes) > _MOST_COEFFICIENTS:
        raise ImpossibleError(f"more than {_MOST_COEFFICIENTS // 1_500_000} megapixels take too long")
    floor = Floor.of(decode(data), rung.quality, subsampling)
    planes = _with_objects(coded, rung)
    kept = [_kept(plane, coded, regions) for plane in planes]

    def coding(weight: float) -> bytes:
        parts = zip(planes, _by_plane(planes, rung.quality), kept, strict=True)
        return write_planes(coded, [coarsened(*part, weight) for part in parts])

    smallest, lowest, highest = coding(WEIGHTS[0]), 1, len(WEIGHTS)
    while lowest < highest:
        middle = (lowest + highest) // 2
        smaller = coding(WEIGHTS[middle])
        if floor.holds(smaller):
            smallest, lowest = smaller, middle + 1
        else:
            highest = middle
    return Shrunk(smallest, _digested(planes, coded, regions))


def _with_objects(coded: Coded, rung: Rung) -> list[Plane]:
    """The planes at the objects' quality."""
    if rung.objects in (EXACT, None):
        return list(coded.planes)
    tables = _by_plane(coded.planes, int(rung.objects))
    return [_requantised(plane, table) for plane, table in zip(coded.planes, tables, strict=True)]


def _by_plane(planes: Sequence[Plane], quality: int) -> list[NDArray[np.int32]]:
    """The standard table of each component at a QF."""
    return [standard_tables(quality)[min(number, 1)] for number in range(len(planes))]


def digested(data: bytes, regions: Sequence[Region]) -> tuple[Region, ...]:
    """The same regions with the digests that a file gives them now. Raises ImpossibleError."""
    coded = _read(data)
    return _digested(coded.planes, coded, regions)


def same_inside(one: Image.Image, other: Image.Image, regions: Sequence[Region]) -> bool:
    """Whether two decoded pictures have the same pixels in all regions."""
    pairs = ((one.crop(region.box), other.crop(region.box)) for region in regions)
    return all(ImageChops.difference(*pair).getbbox() is None for pair in pairs)


def _read(data: bytes) -> Coded:
    """Without the metadata, which jpeglib has no use for; Adobe's APP14 tells of colours."""
    unneeded = [segment for segment in walk(data).metadata if segment.marker != APP14]
    return read_planes(without(data, unneeded))


def _requantised(plane: Plane, table: NDArray[np.int32]) -> Plane:
    """As a coarser table has it; where that is the finer one, nothing changes."""
    coarser = np.maximum(table, plane.table)
    blocks = np.rint(plane.blocks * (plane.table / coarser)).astype(np.int16)
    return replace(plane, blocks=blocks, table=coarser)


def _kept(plane: Plane, coded: Coded, regions: Sequence[Region]) -> NDArray[np.bool_]:
    kept = np.zeros(plane.blocks.shape[:2], dtype=np.bool_)
    for region in regions:
        kept[_blocks(plane, coded, region)] = True
    return kept


def _blocks(plane: Plane, coded: Coded, region: Region) -> tuple[slice, slice]:
    """The rows and columns of blocks on which a region's pixels depend.

    A decoder smooths chroma that is coded at half the size: a pixel depends on the next sample, two pixels away.
    """
    width, height = plane.covers
    beyond = 2 if any(other.covers != (8, 8) for other in coded.planes) else 0
    top, bottom = max(0, region.top - beyond) // height, -(-(region.bottom + beyond) // height)
    left, right = max(0, region.left - beyond) // width, -(-(region.right + beyond) // width)
    return slice(top, bottom), slice(left, right)


def _digested(planes: Sequence[Plane], coded: Coded, regions: Sequence[Region]) -> tuple[Region, ...]:
    return tuple(replace(region, digest=_digest(planes, coded, region)) for region in regions)


def _digest(planes: Sequence[Plane], coded: Coded, region: Region) -> str:
    """Of what its coefficients are worth, whatever the table: SHA-256, the first 32 hexadecimal digits."""
    digest = hashlib.sha256()
    for plane in planes:
        worth = plane.blocks[_blocks(plane, coded, region)].astype("<i4") * plane.table
        digest.update(repr(worth.shape).encode() + worth.astype("<i4").tobytes())
    return digest.hexdigest()[:32]
