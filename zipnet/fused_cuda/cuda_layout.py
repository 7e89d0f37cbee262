"""Where everything lies in one thread block's shared memory: weights first, then working values.

A multiprocessor reads 32 words a cycle from shared memory, one from each of 32 banks (word address
modulo 32), and lanes of a warp that ask for the same word share one read. So strides are chosen for
the lanes that run over them: 25 and 31 are odd, and lanes in consecutive planes or rows meet in 32
different banks. The strides of H2w are such that eight inputs (25 apart) of three groups of planes
(4 x 202 apart, which is 8 modulo 32) do the same. Letters: o output plane, c input plane, s which
of the eight inputs of its group, y, x position.

    W1  (o 12, tap 25)                    H1w
    B1  (o 12, y 8, x 8), planes 65 apart  H1b
    W2  (o 12, s 8, tap 25), planes 202 apart  H2w
    B2  (o 12, p 16)                      H2b
    W3  (r 192, n 30), rows 31 apart      H3w
    B3  (n 30)                            H3b
    WO  (n 30, k 10), rows 11 apart       outw
    BO  (k 10)                            outb

Gradients and AdamW's moments, in global memory, have the same layout.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zipnet.params import SHAPES, Array, Params

THREADS: Final = 384  # of a block: twelve warps, three for each of a multiprocessor's schedulers
PLANE1: Final = 65  # between planes of H1b, and of the sums for H1's gradient
PLANE2: Final = 202  # between planes of H2w
ROW3: Final = 31  # between rows of H3w
ROW_OUT: Final = 11  # between rows of outw


def _offsets(start: int, *sizes: int) -> list[int]:
    """Start of each region, and the end of the last."""
    return [start, *(start + int(end) for end in np.cumsum(sizes))]


W1, B1, W2, B2, W3, B3, WO, BO, WEIGHTS = _offsets(
    0, 300, 12 * PLANE1, 12 * PLANE2, 192, 192 * ROW3, 30, 30 * ROW_OUT, 10
)

# Working values of the presentation at hand:
#   X   (y 19, x 20), rows 21 apart        the image in its border of -1, without the last row
#   Y   (k 10)                             its targets
#   A1  (c 12, y 11, x 12), planes 133 apart   H1 in its border of -1, without the last row; no
#                                          kernel reaches the last row of either border
#   A2  (o 12, p 16)                       H2
#   A3  (n 30)                             H3
#   AO  (k 10)                             the outputs
#   D3  (n 30)                             gradient of H3's sums
#   D2  (o 12, y 6, x 4)                   gradient of H2's sums, a row of zeros above and below
#   D1  (o 12, y 8, x 8), rows 9 and planes 73 apart   gradient of H1's sums
#   SUMS                                   partial sums that one phase leaves for the next:
#       second layer   (s 8, o 12, p 16), planes 18 and inputs 217 apart
#       third layer    (n 30, part 32), 33 apart
#       H1's gradient  (half 2, c 12, y 8, x 8), planes 65 apart
#       H1w's gradient (y 8, o 12, tap 25), 301 apart
IMAGE_ROW: Final = 21
IMAGE: Final = 19 * IMAGE_ROW
A1_ROW, A1_PLANE = 12, 133
D2_PLANE: Final = 24
D1_ROW, D1_PLANE = 9, 73
SUMS2_PLANE, SUMS2 = 18, 217
SUMS3: Final = 33
SUMS1: Final = 12 * PLANE1
SUMS1W: Final = 301

X, Y, A1, A2, A3, AO, D3, D2, D1, SUMS, FLOATS = _offsets(
    WEIGHTS, IMAGE, 10, 12 * A1_PLANE, 192, 30, 10, 30, 288, 12 * D1_PLANE, 8 * SUMS1W
)  # fmt: skip

NUMBERS: Final = {name: value for name, value in globals().items() if isinstance(value, int)}
"""All of the above, by the names under which the kernels know them."""

SHARED_BYTES: Final = 4 * FLOATS
"""Shared memory that one thread block asks for: weights, working values, 4 bytes each."""
RESERVED: Final = 1024
"""Bytes of it that CUDA keeps for itself in each block beside that, since Ampere."""


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
        "H3w": grid(W3, (192, ROW3), (30, 1)),
        "H3b": grid(B3, (30, 1)),
        "outw": grid(WO, (30, ROW_OUT), (10, 1)),
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
