"""Where everything lies in one thread block's shared memory: weights first, then working values.

A multiprocessor reads 32 words a cycle from shared memory, one from each of 32 banks (word address
modulo 32), and lanes of a warp that ask for the same word share one read. So strides are chosen for
the lanes that run over them. Kernels are read word by word: 25 is odd, and eight inputs (25 apart)
of three groups of planes (4 x 202 apart, which is 8 modulo 32) begin in 24 different banks. Units
are read four at a time, by eight lanes a cycle: their rows begin at multiples of 4, and lanes in
consecutive rows and planes meet in 32 different banks. Letters: o output plane, c input plane, s
which of the eight inputs of its group, y, x position, l lane: unit 15 half + i of H3 is lane
16 half + i of a warp, whose lanes 15 and 31 have no unit.

    W1  (o 12, tap 25)                    H1w
    B1  (o 12, y 8, x 8), planes 68 apart  H1b
    W2  (o 12, s 8, tap 25), planes 202 apart  H2w
    B2  (o 12, p 16)                      H2b
    B3  (l 32)                            H3b
    WO  (l 32, k 10), rows 12 apart       outw
    BO  (k 10)                            outb
    W3  (i 15, o 12, half 2, p 16)        H3w; not in shared memory: 15 registers of each thread

AdamW's moments, in global memory, have the same layout; so have gradients, in shared memory behind
the working values where a step is more than one presentation of plain SGD.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zipnet.params import SHAPES, Array, Params

THREADS: Final = 384  # of a block: twelve warps, three for each of a multiprocessor's schedulers
PLANE1: Final = 68  # between planes of H1b
PLANE2: Final = 202  # between planes of H2w
ROW_OUT: Final = 12  # between rows of outw


def _offsets(start: int, *sizes: int) -> list[int]:
    """Start of each region, a multiple of 4, and the end of the last."""
    return [start, *(start + int(end) for end in np.cumsum([-(-size // 4) * 4 for size in sizes]))]


W1, B1, W2, B2, B3, WO, BO, W3 = _offsets(
    0, 300, 12 * PLANE1, 12 * PLANE2, 192, 32, 32 * ROW_OUT, 10
)
WEIGHTS: Final = W3 + 15 * THREADS

# Working values of the presentation at hand, where in global memory W3 is:
#   X   (y 19, x 20)                       the image in its border of -1, without the last row;
#                                          behind it its ten targets; behind them the next
#                                          presentation's, and so in turn
#   A1  (c 12, y 11, x 12), planes 156 apart   H1 in its border of -1, without the last row; no
#                                          kernel reaches the last row of either border
#   A2  (o 12, p 16)                       H2
#   SUMS (o 12, l 32)                      what each plane of H2 gives H3
#   AO  (k 10)                             the outputs
#   DO  (k 10)                             gradient of the outputs' sums
#   D3  (l 32)                             gradient of H3's sums
#   D2  (o 12, y 6, x 4)                   gradient of H2's sums, a row of zeros above and below
#   D1  (c 12, y 8, x 8), rows 12 and planes 100 apart   gradient of H1's sums
IMAGE_ROW: Final = 20
IMAGE: Final = 19 * IMAGE_ROW
PRESENTED: Final = IMAGE + 12
A1_ROW, A1_PLANE = 12, 156
D2_PLANE: Final = 28
D1_ROW, D1_PLANE = 12, 100

X, A1, A2, SUMS, AO, DO, D3, D2, D1, GRADIENTS = _offsets(
    W3, 2 * PRESENTED, 12 * A1_PLANE, 192, THREADS, 10, 10, 32, 12 * D2_PLANE, 12 * D1_PLANE
)

NUMBERS: Final = {name: value for name, value in globals().items() if isinstance(value, int)}
"""All of the above, by the names under which the kernels know them."""

RESERVED: Final = 1024
"""Bytes of shared memory that CUDA keeps for itself in each block, since Ampere."""


def shared_bytes(*, gradients: bool) -> int:
    """Shared memory that one thread block asks for, with or without room for gradients."""
    return 4 * (GRADIENTS + W3 * gradients)


SHARED_BYTES: Final = shared_bytes(gradients=True)


def _places() -> NDArray[np.int64]:
    """For each of the 9,760 parameters in the order of Params, its place in the layout."""

    def grid(start: int, *axes: tuple[int, int]) -> NDArray[np.int64]:
        """Places from start on, axes of (size, stride), the last running fastest; flattened."""
        places = np.array([start])
        for size, stride in axes:
            places = places[:, None] + stride * np.arange(size)
            places = places.reshape(-1)
        return places

    of = {
        "H1w": grid(W1, (300, 1)),
        "H1b": grid(B1, (12, PLANE1), (64, 1)),
        "H2w": grid(W2, (12, PLANE2), (200, 1)),
        "H2b": grid(B2, (192, 1)),
        "H3w": grid(W3, (12, 32), (16, 1), (2, 16), (15, THREADS)),
        "H3b": grid(B3, (2, 16), (15, 1)),
        "outw": grid(WO, (2, 16 * ROW_OUT), (15, ROW_OUT), (10, 1)),
        "outb": grid(BO, (10, 1)),
    }
    return np.concatenate([of[name] for name in SHAPES])


PLACES: Final = _places()


def pack(params: Params) -> Array:
    """The eight named arrays as (WEIGHTS,) float32; what lies between the strides is 0."""
    weights = np.zeros(WEIGHTS, np.float32)
    weights[PLACES] = np.concatenate([array.ravel() for _, array in params.items()])
    return weights


def unpack(weights: Array) -> dict[str, Array]:
    """Copy the eight named arrays out of (WEIGHTS,) float32."""
    flat = weights[PLACES]
    ends = np.cumsum([np.prod(shape) for shape in SHAPES.values()])
    parts = np.split(flat, ends[:-1])
    return {name: part.reshape(SHAPES[name]) for name, part in zip(SHAPES, parts, strict=True)}
