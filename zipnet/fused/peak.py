"""The ceiling: fused multiply-adds between registers, and nothing else.

Twelve independent accumulators hide the latency of the multiply-add, and no operand is in memory. A
machine reaches its peak with values as wide as its registers: time every width in `WIDTHS`
and take the best. This file holds no clock; the caller times `multiply_adds` and divides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zipnet.fused.compiling import entry, inlined
from zipnet.fused.lanes import address, load
from zipnet.fused.threads import pool
from zipnet.fused.tiles import fma_tile, load_tile, store_tile

WIDTHS = (8, 16)
ACCUMULATORS = 12


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
