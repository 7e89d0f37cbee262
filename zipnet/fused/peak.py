"""The ceilings: fused multiply-adds between registers, and floats read from caches and memory.

Twelve independent accumulators hide the latency of the multiply-add, and no operand is in memory. A
machine reaches its peak with values as wide as its registers: time every width in `WIDTHS`
and take the best. Reading adds each vector to one of seven sums, which with the ones that it is
multiplied by fill the registers of AVX2. This file holds no clock; the caller times and divides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zipnet.fused.compiling import entry, inlined
from zipnet.fused.lanes import address, load, splat
from zipnet.fused.threads import pool
from zipnet.fused.tiles import fma_tile, load_tile, outer_loads, store_tile, zeros

WIDTHS = (8, 16)
ACCUMULATORS = 12
STRIDE = 7 * 16  # floats that are read before the loop turns


@inlined
def spin(tile: Any, factor: Any, term: Any, rounds: int) -> Any:
    """Plainly: tile = tile * factor + term, `rounds` times"""
    for _ in range(rounds):
        tile = fma_tile(tile, factor, term)
    return tile


@entry
def _spin_8(values: Any, rounds: int) -> None:
    p = address(values)
    store_tile(p, spin(load_tile(p, ACCUMULATORS, 8), load(p, 8), load(p + 8, 8), rounds))


@entry
def _spin_16(values: Any, rounds: int) -> None:
    p = address(values)
    store_tile(p, spin(load_tile(p, ACCUMULATORS, 16), load(p, 16), load(p + 16, 16), rounds))


def multiply_adds(rounds: int, threads: int = 1, width: int = 8) -> int:
    """Do `rounds` rounds in each of `threads` threads; the number of single multiply-adds done."""
    function = {8: _spin_8, 16: _spin_16}[width]
    values = [np.full(ACCUMULATORS * width, 0.5, np.float32) for _ in range(threads)]
    if threads == 1:
        function(values[0], rounds)
    else:
        list(pool(threads).map(function, values, [rounds] * threads))
    return rounds * threads * ACCUMULATORS * width


@entry
def _read(values: Any, sums: Any, times: int) -> None:
    p, ones, tile = address(values), (splat(np.float32(1), 16),), zeros(7, 16)
    for _ in range(times):
        for at in range(0, values.size, STRIDE):
            tile = outer_loads(tile, ones, p + at, (0, 16, 32, 48, 64, 80, 96))
    store_tile(address(sums), tile)


def written(size: int, threads: int) -> list[npt.NDArray[np.float32]]:
    """An array of about so many bytes for each thread, by which its pages are written.

    Pages that nothing was written to are one page of zeros, which a cache holds.
    """
    floats = max(1, size // 4 // STRIDE) * STRIDE
    ones = np.float32(1)
    return list(pool(threads).map(lambda _: np.full(floats, ones), range(threads)))


def read(arrays: Sequence[npt.NDArray[np.float32]], times: int) -> int:
    """Read each array so many times in a thread of its own; the bytes read."""
    sums = [np.empty(STRIDE, np.float32) for _ in arrays]
    if len(arrays) == 1:
        _read(arrays[0], sums[0], times)
    else:
        list(pool(len(arrays)).map(_read, arrays, sums, [times] * len(arrays)))
    return times * sum(array.nbytes for array in arrays)
