"""Coarser blocks under a table that stays fine: the background's coefficients, chosen by what they cost in bits.

A JPEG has one table for all blocks of a component. Rounding to a coarser table's steps would still be written in the
fine one's, and large numbers are dear. So each number is chosen: zero, itself, or the largest with fewer bits,
whichever is least in error + weight * bits. Errors are squares, in steps of the coarser table; bits are about what a
Huffman code takes. The best sequence along a block's zigzag and along the chain of DC differences is found by dynamic
programming, for thousands of blocks at once.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from framekeep.regions.coefficients import Plane

WEIGHTS: Final = (0.036, 0.045, 0.05, 0.055, 0.062, 0.07, 0.085, 0.11)
"""Of a bit beside an error: the more, the fewer bytes. Which one makes a background look like a QF differs."""
DC_WEIGHT: Final = 0.05
_VARIANCE: Final = 225.0
"""Of a block's pixels, at which an error counts as it is."""
_MOST: Final = 4.0
"""How many times less or more a squared error counts elsewhere."""
_SSIM_C2: Final = (0.03 * 255) ** 2
"""What SSIM adds to a variance, so that it is never nothing."""

Number = TypeVar("Number", bound=np.generic)

_AT_ONCE: Final = 8192
"""Blocks, so that a large picture takes little more memory than a small one."""
_SYMBOL: Final = np.array([0, 2.2, 3.0, 3.6, 4.4, 5.2, 7, 8, 10, 12, 16, 16, 16, 16, 16, 16])
"""Bits of the Huffman symbol of a coefficient that takes so many bits itself, without a run of zeros before it."""
_FEWER: Final = 4
"""A number may lose less than so many of its bits, or become zero."""
_DC_SYMBOL: Final = np.array([2.0, 2.5, 2.7, 3, 3.2, 3.5, 4.5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16])
_END: Final = 3.0
"""Bits for the end of a block that is not empty."""
_NEGLIGIBLE: Final = 2.0
"""Bits. A number that is not zero costs more, and saves at most one in the runs of zeros around it."""
_MOST_DC_CHOICES: Final = 25
_DC_REACH: Final = 0.6
"""How far a DC may be moved, in steps of the coarser table."""


def _zigzag() -> NDArray[np.intp]:
    places = [(row, column) for row in range(8) for column in range(8)]
    places.sort(key=lambda place: (sum(place), place[0] if sum(place) % 2 else place[1]))
    return np.array([8 * row + column for row, column in places])


ZIGZAG: Final = _zigzag()


def coarsened(plane: Plane, table: NDArray[np.int32], kept: NDArray[np.bool_], weight: float) -> Plane:
    """The plane with every block that is not `kept`, shape (rows, columns), about as good as a coarser table's."""
    rows, columns = kept.shape
    steps = (plane.table / np.maximum(table, plane.table)).reshape(64)[ZIGZAG]
    blocks = plane.blocks.reshape(-1, 64)[:, ZIGZAG].astype(np.int32)
    free = np.flatnonzero(~kept)
    for start in range(0, len(free), _AT_ONCE):
        some = free[start : start + _AT_ONCE]
        blocks[some, 1:] = _ac(blocks[some], steps * _step_on_eye(plane, blocks[some]) / weight**0.5)[:, 1:]
    dc = blocks[:, 0].reshape(rows, columns)
    blocks[:, 0] = _dc(dc, kept, float(steps[0]), plane.sampling).reshape(-1)
    natural = np.empty(blocks.shape, dtype=np.int16)
    natural[:, ZIGZAG] = blocks
    return Plane(natural.reshape(plane.blocks.shape), plane.table, plane.sampling, plane.covers)


def _step_on_eye(plane: Plane, blocks: NDArray[np.int32]) -> NDArray[np.float64]:
    """What a step of the table counts in each block, shape (n, 1): less where much goes on, which hides errors.

    SSIM sees it so, too: there the error is divided by a variance.
    """
    pixels = blocks[:, 1:] * plane.table.reshape(64)[ZIGZAG][1:].astype(np.float64)
    variances = (pixels**2).sum(axis=1) / 64
    share = np.clip((variances + _SSIM_C2) / (_VARIANCE + _SSIM_C2), 1 / _MOST, _MOST)
    counted: NDArray[np.float64] = 1 / np.sqrt(share)[:, None]
    return counted


def _ac(blocks: NDArray[np.int32], steps: NDArray[np.float64]) -> NDArray[np.int32]:
    """Blocks in zigzag order, shape (n, 64), with the best numbers behind the first.

    `steps`, of that shape, is what one step of a number counts: squared, in bits.
    """
    sizes, weights = np.abs(blocks), steps**2
    lost = np.cumsum(np.where(np.arange(64) > 0, sizes**2 * weights, 0.0), axis=1)
    """The error of zeros up to and with each place."""
    best = np.full(blocks.shape, np.inf)
    """The least cost of all up to each place if its number is not zero, less `lost` there."""
    best[:, 0] = 0.0
    before = np.zeros(blocks.shape, dtype=np.int8)
    values = np.zeros_like(blocks)
    for place in range(1, 64):
        matter = np.flatnonzero(sizes[:, place] ** 2 * weights[:, place] > _NEGLIGIBLE)
        if len(matter):
            number, cost = _cheapest(sizes[matter, place], steps[matter, place])
            ways = best[matter, :place] + _runs(place)
            before[matter, place] = ways.argmin(axis=1)
            best[matter, place] = ways.min(axis=1) + lost[matter, place - 1] + cost - lost[matter, place]
            values[matter, place] = number
    last = (best + np.where((np.arange(64) > 0) & (np.arange(64) < 63), _END, 0.0)).argmin(axis=1)  # noqa: PLR2004 - the last place needs no end
    return np.sign(blocks) * _followed(values, before, last)


def _cheapest(sizes: NDArray[np.int32], step: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """For each number that is not zero: itself or the largest with fewer bits, and what that costs."""
    bits = np.frexp(sizes)[1]
    choices = [sizes, *((1 << np.maximum(bits - fewer, 0)) - 1 for fewer in range(1, _FEWER))]
    costs = []
    for fewer, choice in enumerate(choices):
        left = np.maximum(bits - fewer, 0)
        cost = ((sizes - choice) * step) ** 2 + left + _SYMBOL[np.minimum(left, len(_SYMBOL) - 1)]
        costs.append(np.where(left > 0, cost, np.inf))
    cheapest = np.argmin(costs, axis=0)
    each = np.arange(len(sizes))
    return np.array(choices)[cheapest, each], np.array(costs)[cheapest, each]


def _runs(place: int) -> NDArray[np.float64]:
    """What the zeros between each earlier place and this one cost."""
    zeros = np.arange(place)[::-1]
    bits: NDArray[np.float64] = zeros % 16 + 0.6 * (zeros > 0) + 11.0 * (zeros // 16)
    return bits


def _followed(values: NDArray[np.int32], before: NDArray[np.int8], last: NDArray[np.intp]) -> NDArray[np.int32]:
    """The numbers on the way back from each block's last place that is not zero."""
    chosen = np.zeros_like(values)
    place = last
    while len(on := np.flatnonzero(place)):
        chosen[on, place[on]] = values[on, place[on]]
        place[on] = before[on, place[on]]
    return chosen


def _dc(dc: NDArray[np.int32], kept: NDArray[np.bool_], step: float, sampling: tuple[int, int]) -> NDArray[np.int32]:
    """The best chain of DCs, each row of MCUs for itself: shape (rows, columns)."""
    reach = int(_DC_REACH / step)
    if reach == 0:
        return dc
    stride = -(-(2 * reach + 1) // _MOST_DC_CHOICES)
    moves = stride * np.arange(-(reach // stride), reach // stride + 1)
    chains, fixed = _in_mcu_order(dc, sampling), _in_mcu_order(kept, sampling)
    moved = _in_rows(chains + moves[_best_moves(chains, fixed, moves, step)], sampling)
    return moved[: dc.shape[0], : dc.shape[1]]


def _best_moves(
    chains: NDArray[np.int32], fixed: NDArray[np.bool_], moves: NDArray[np.int_], step: float
) -> NDArray[np.intp]:
    """Viterbi's algorithm along chains of shape (m, n): which of the moves each DC makes; a fixed one makes none."""
    errors = np.where(fixed[..., None] & (moves != 0), np.inf, (moves * step) ** 2)
    costs, before = errors[:, 0], np.zeros((*chains.shape, len(moves)), dtype=np.int8)
    between = moves[:, None] - moves[None, :]
    for place in range(1, chains.shape[1]):
        differences = (chains[:, place] - chains[:, place - 1])[:, None, None] + between
        bits = np.frexp(np.abs(differences))[1]
        ways = costs[:, None, :] + DC_WEIGHT * (bits + _DC_SYMBOL[np.minimum(bits, len(_DC_SYMBOL) - 1)])
        before[:, place] = ways.argmin(axis=2)
        costs = ways.min(axis=2) + errors[:, place]
    chosen = np.zeros(chains.shape, dtype=np.intp)
    chosen[:, -1] = costs.argmin(axis=1)
    each = np.arange(len(chains))
    for place in range(chains.shape[1] - 1, 0, -1):
        chosen[:, place - 1] = before[each, place, chosen[:, place]]
    return chosen


def _in_mcu_order(values: NDArray[Number], sampling: tuple[int, int]) -> NDArray[Number]:
    """Rows and columns of blocks in the order of an interleaved scan: shape (rows of MCUs, blocks in each)."""
    across, down = sampling
    rows, columns = values.shape
    whole = np.pad(values, ((0, -rows % down), (0, -columns % across)), mode="edge")
    height, width = whole.shape
    return whole.reshape(height // down, down, width // across, across).swapaxes(1, 2).reshape(height // down, -1)


def _in_rows(chains: NDArray[np.int32], sampling: tuple[int, int]) -> NDArray[np.int32]:
    """The reverse of `_in_mcu_order`, with what it padded."""
    across, down = sampling
    rows = len(chains)
    return chains.reshape(rows, -1, down, across).swapaxes(1, 2).reshape(rows * down, -1)
