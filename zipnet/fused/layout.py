"""Where everything lies: one float32 array of weights, one of working values, and fixed offsets.

The eight arrays of the network become one array of `WEIGHTS` floats, cut into regions that start on
multiples of 16 floats. Gradients and AdamW's moments have the same layout, so that an update is
one flat sweep. Indices: g = group of four H1 planes, j = plane within a group, h = half of a pair,
o = group of four H2 planes, p = position, n = one of the 30 units of H3 (lanes 30 and 31 stay 0).

    W1  (tap 25, g 3, j 4, h 2)            H1w twice, for the two neighbouring positions of a pair
    B1  (g 3, row 8, column 8, j 4)        H1b, channels last within a group
    W2  (g 3, tap 25, pair 2, half 2, j 4, h 2)   H2w: see below
    B2  (o 3, p 16, j 4)                   H2b
    W3  (o 3, p 16, j 4, n 32)             H3w, rows in the order of B2
    B3  (n 32)                             H3b
    WO  (10, n 32)                         outw, transposed
    BO  (16)                               outb, lanes 10 to 15 stay 0

W2: an input group g feeds exactly two of the three groups of output planes (`FEEDS`), so a vector
of 16 weights takes two neighbouring input planes (h) to eight output planes (half, j), and not one
lane multiplies a connection that does not exist. By schemes other than blocks (planes.py) it is
as H2w is, (plane 12, slot 8, tap 25), and as large.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zipnet.params import SHAPES, Params
from zipnet.recipe import Scheme

Array = NDArray[np.float32]

FEEDS = ((0, 2), (0, 1), (1, 2))
"""FEEDS[g] = the two groups of H2 planes that the H1 planes of group g feed."""


def _offsets(*sizes: int) -> list[int]:
    """Start of each region and the end of the last, rounded up to multiples of 16."""
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + -(-size // 16) * 16)
    return starts


W1, B1, W2, B2, W3, B3, WO, BO, WEIGHTS = _offsets(600, 768, 2400, 192, 6144, 32, 320, 16)

# Working values of one example:
#   X   (row 20, parity 2, 16)             the input in its border of -1, even and odd columns apart
#   A1  (g 3, row 12, column 12, j 4)      H1 in its border of -1
#   A2  (o 3, p 16, j 4)                   H2
#   K2  (o 3, p 16, j 4)                   dropout: what each unit of H2 is multiplied by
#   F2  (o 3, p 16, j 4)                   H2 as H3 sees it, after dropout
#   A3  (n 32)                             H3
#   AO  (16)                               the outputs
#   Y   (16)                               the targets
#   DO  (16)                               gradient of the outputs' sums
#   D3  (n 32)                             gradient of H3's sums
#   D2  (g 3, p 16, half 2, j 4, h 2)      gradient of H2's sums, each value twice
#   D1  (g 3, row 8, column 8, j 4)        gradient of H1
#   P1  (row 8, pair 4, g 3, j 4, h 2)     gradient of H1's sums, two columns interleaved
#   R   (row 16, column 18)                the image moved up or down, its columns wrapped around
# By schemes other than blocks, in planes of their own, rows and columns by parity:
#   S1  (plane 12, parities 2 x 2, row 6, column 8)   H1 in its border
#   S2  (plane 12, row 6, column 8)        gradient of H2's sums in a border of 0
#   SD  (plane 12, parities 2 x 2, row 4, column 4)   gradient of H1
X, A1, A2, K2, F2, A3, AO, Y, DO, D3, D2, D1, P1, R, S1, S2, SD, WORK = _offsets(
    640, 1728, 192, 192, 192, 32, 16, 16, 16, 32, 768, 768, 768, 288, 2304, 576, 768
)  # fmt: skip


@cache
def sources(scheme: Scheme = "blocks") -> NDArray[np.int64]:
    """For each float of the layout, which of the 9,760 parameters it holds; -1 for padding."""
    sizes = [int(np.prod(shape)) for shape in SHAPES.values()]
    starts = np.cumsum([0, *sizes[:-1]])
    number = {
        name: start + np.arange(size).reshape(SHAPES[name])
        for name, start, size in zip(SHAPES, starts, sizes, strict=True)
    }
    result = np.full(WEIGHTS, -1, np.int64)

    def put(start: int, values: NDArray[np.int64]) -> None:
        result[start : start + values.size] = values.ravel()

    taps = number["H1w"].reshape(3, 4, 25)  # (g, j, tap)
    put(W1, np.repeat(taps.transpose(2, 0, 1)[..., None], 2, axis=3))
    put(B1, number["H1b"].reshape(3, 4, 8, 8).transpose(0, 2, 3, 1))

    # Which H1 planes each group of H2 planes sees, in the order of H2w's second axis.
    seen = ((0, 1), (1, 2), (0, 2))  # by group: planes 0-7, 4-11, 0-3 with 8-11
    second = number["H2w"].reshape(3, 4, 2, 4, 25)  # (o, j, which input group, plane in it, tap)
    blocks = np.empty((3, 25, 2, 2, 4, 2), np.int64)
    for g, fed in enumerate(FEEDS):
        for half, o in enumerate(fed):
            block = second[o, :, seen[o].index(g)].reshape(4, 2, 2, 25)  # (j, pair, h, tap)
            blocks[g, :, :, half] = block.transpose(3, 1, 0, 2)
    put(W2, blocks if scheme == "blocks" else number["H2w"])
    put(B2, number["H2b"].reshape(3, 4, 16).transpose(0, 2, 1))

    rows = number["H3w"].reshape(3, 4, 16, 30).transpose(0, 2, 1, 3)
    put(W3, np.pad(rows, [(0, 0)] * 3 + [(0, 2)], constant_values=-1))
    put(B3, number["H3b"])
    put(WO, np.pad(number["outw"].T, [(0, 0), (0, 2)], constant_values=-1))
    put(BO, number["outb"])
    return result


@cache
def _places(scheme: Scheme) -> NDArray[np.int64]:
    """For each of the 9,760 parameters, one place in the layout that holds it."""
    found = sources(scheme)
    places = np.empty(int(found.max()) + 1, np.int64)
    places[found[found >= 0]] = np.flatnonzero(found >= 0)
    return places


def aligned(*shape: int) -> Array:
    """Zeros that start on a cache line."""
    size = int(np.prod(shape))
    raw = np.zeros(size + 16, np.float32)
    start = -raw.ctypes.data % 64 // 4
    return raw[start : start + size].reshape(shape)


_of_thread = threading.local()


def workspace(count: int = 1) -> Array:
    """(count, WORK) float32: this thread's working values, the borders of -1 in place.

    Made once a thread: a step writes inside the borders only, and everything else before it reads.
    """
    made: dict[Any, Array] = _of_thread.__dict__  # each thread sees its own
    if count not in made:
        work = aligned(count, WORK)
        work[:, X : X + 640] = -1.0
        work[:, A1 : A1 + 1728] = -1.0
        made[count] = work
    return made[count]


@dataclass
class LearningState:
    """What a training run carries from call to call.

    weights: (WEIGHTS,) float32. first, second: the optimizer's memory in the same layout: AdamW's
        moments; first is pseudo-Newton's sigma.
    presented: examples learnt from so far, the counter of the random numbers.
    steps: updates so far.
    """

    weights: Array
    first: Array = field(default_factory=lambda: aligned(WEIGHTS))
    second: Array = field(default_factory=lambda: aligned(WEIGHTS))
    seed: int = 0
    presented: int = 0
    steps: int = 0

    def finite(self) -> bool:
        """Whether training has not diverged."""
        return bool(np.isfinite(self.weights).all())


def pack(params: Params, seed: int = 0, scheme: Scheme = "blocks") -> LearningState:
    """Copy the eight named arrays into a fresh state."""
    flat = np.concatenate([array.ravel() for _, array in params.items()])
    weights, found = aligned(WEIGHTS), sources(scheme)
    weights[:] = np.where(found >= 0, flat[found], np.float32(0))
    return LearningState(weights, seed=seed)


def unpack(values: Array, scheme: Scheme = "blocks") -> dict[str, Array]:
    """Copy the eight named arrays out of an array in this layout (weights or gradients)."""
    flat = values[_places(scheme)]
    result: dict[str, Array] = {}
    start = 0
    for name, shape in SHAPES.items():
        size = int(np.prod(shape))
        result[name] = flat[start : start + size].reshape(shape).copy()
        start += size
    return result
