"""H2 by whichever scheme was chosen: what forward.py and backward.py do for blocks, or by planes.

Blocks have four planes of H2 see the same eight of H1, and those kernels live off it. By any other
scheme each plane is taken for itself, its eight planes of H1 one after the other, and lanes are
four neighbouring positions. Each second row and column of H1 lies together (S1), so that a window
two further is the next float.

Vector operations per example, four lanes each:

    phase             multiply-adds          beside them
    hidden_2          96 x 25 x 4 = 9,600    2,400 weights; planes laid out, one float at a time
    hidden_2_inputs   96 x 25 x 4 = 9,600    2,400 weights; 3,072 loads and stores of sums
    hidden_2_weights  96 x 25 x 4 = 9,600    1,920 folds
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from zipnet import schemes
from zipnet.fused.backward import hidden_2_inputs_by_blocks, hidden_2_weights_by_blocks
from zipnet.fused.compiling import chosen, inlined, kernel
from zipnet.fused.forward import PLANE_A1, ROW_A1, hidden_2_by_blocks
from zipnet.fused.functions import activate, fold, weight
from zipnet.fused.lanes import broadcast, fma, increase, load, splat, store
from zipnet.fused.layout import A1, A2, B2, D1, D2, S1, S2, SD, W2
from zipnet.fused.shuffles import low
from zipnet.fused.tiles import load_tile, outer_loads, store_tile, zeros
from zipnet.recipe import Scheme

PLANE_S1: Final = 192  # floats from one plane of S1 to the next
PLANE_S2: Final = 48
PLANE_SD: Final = 64
# Where the window of position (0, 0) has each of its 25 taps in a plane of S1.
TAPS: Final = np.array(
    [(ky % 2 * 2 + kx % 2) * 48 + ky // 2 * 8 + kx // 2 for ky in range(5) for kx in range(5)]
)


def hidden_2(choices: Any, w: Any, s: Any) -> None:
    """a2 = tanh(b2 + sum over taps and the 8 planes it sees of w2 * a1)"""


def hidden_2_inputs(choices: Any, w: Any, s: Any) -> None:
    """d1 = sum over the taps and positions that meet there of d2 * w2"""


def hidden_2_weights(choices: Any, s: Any, t: Any, scale: Any) -> None:
    """w2[tap] += scale * sum over positions of d2[position] * a1[position moved by the tap]"""


@chosen(hidden_2)
def _hidden_2(choices: Any, w: Any, s: Any) -> Any:
    if choices.value.scheme == "blocks":
        return lambda choices, w, s: hidden_2_by_blocks(choices, w, s)
    forward, _, _ = _by_planes(choices.value.scheme)
    return lambda choices, w, s: forward(choices, w, s)


@chosen(hidden_2_inputs)
def _hidden_2_inputs(choices: Any, w: Any, s: Any) -> Any:
    if choices.value.scheme == "blocks":
        return lambda choices, w, s: hidden_2_inputs_by_blocks(choices, w, s)
    _, inputs, _ = _by_planes(choices.value.scheme)
    return lambda choices, w, s: inputs(choices, w, s)


@chosen(hidden_2_weights)
def _hidden_2_weights(choices: Any, s: Any, t: Any, scale: Any) -> Any:
    if choices.value.scheme == "blocks":
        return lambda choices, s, t, scale: hidden_2_weights_by_blocks(s, t, scale)
    _, _, weights = _by_planes(choices.value.scheme)
    if not choices.squared:
        return lambda choices, s, t, scale: weights(s, t, scale)

    def of_squares(choices: Any, s: Any, t: Any, scale: Any) -> None:
        lay_out(s)  # on the way forward the values were, and not their squares
        weights(s, t, scale)

    return of_squares


@inlined
def move(to: Any, place: Any) -> None:
    """Copy one float."""
    store(to, load(place, 1))


@kernel
def lay_out(s: Any) -> None:
    """From A1, planes last, to S1."""
    for plane in range(12):
        a = s + A1 + plane // 4 * PLANE_A1 + plane % 4
        to = s + S1 + plane * PLANE_S1
        for y in range(12):
            row = to + y % 2 * 96 + y // 2 * 8
            for x in range(0, 12, 2):
                move(row + x // 2, a + y * ROW_A1 + x * 4)
                move(row + x // 2 + 48, a + y * ROW_A1 + x * 4 + 4)


@kernel
def finish_2(choices: Any, w: Any, s: Any) -> None:
    """From sums at D2, plane by plane, to A2, planes last within a group; bias, activation."""
    for plane in range(12):
        to = s + A2 + plane // 4 * 64 + plane % 4
        for p in range(16):
            move(to + p * 4, s + D2 + plane * 16 + p)
    for i in range(0, 192, 8):
        store(s + A2 + i, activate(choices, load(s + A2 + i, 8) + load(w + B2 + i, 8)))


@kernel
def gradients_of_2(s: Any) -> None:
    """From D2, where `hidden_3_back` left each gradient twice and more, to S2."""
    for plane in range(12):
        d = s + D2 + (0, 264, 8)[plane // 4] + plane % 4 * 2
        to = s + S2 + plane * PLANE_S2 + 9  # inside the border
        for row in range(4):
            for column in range(4):
                move(to + row * 8 + column, d + (row * 4 + column) * 16)


@kernel
def gradients_of_1(s: Any) -> None:
    """From SD to D1, planes last within a group."""
    for plane in range(12):
        to = s + D1 + plane // 4 * 256 + plane % 4
        d = s + SD + plane * PLANE_SD
        for y in range(8):
            for x in range(8):
                move(to + (y * 8 + x) * 4, d + (y % 2 * 2 + x % 2) * 16 + y // 2 * 4 + x // 2)


@inlined
def met(d: Any, a: Any) -> Any:
    """Four partial sums over the sixteen positions of d * a."""
    near = fma(d[1], load(a + 8, 4), d[0] * load(a, 4))
    return near + fma(d[3], load(a + 24, 4), d[2] * load(a + 16, 4))


@cache
def _by_planes(scheme: Scheme) -> tuple[Any, Any, Any]:
    """The three kernels by a scheme that is not blocks."""
    seen = schemes.table(scheme)

    @kernel
    def forward(choices: Any, w: Any, s: Any) -> None:
        lay_out(s)
        for plane in range(12):
            one, two = zeros(4, 4), zeros(4, 4)  # four rows of four positions, of every second slot
            for slot in range(0, 8, 2):
                a = s + S1 + seen[plane, slot] * PLANE_S1
                b = s + S1 + seen[plane, slot + 1] * PLANE_S1
                k = w + W2 + (plane * 8 + slot) * 25
                for tap in range(25):
                    here, there = (broadcast(k + tap, 4),), (broadcast(k + 25 + tap, 4),)
                    one = outer_loads(one, here, a + TAPS[tap], (0, 8, 16, 24))
                    two = outer_loads(two, there, b + TAPS[tap], (0, 8, 16, 24))
            total = s + D2 + plane * 16
            store(total, one[0] + two[0])
            store(total + 4, one[1] + two[1])
            store(total + 8, one[2] + two[2])
            store(total + 12, one[3] + two[3])
        finish_2(choices, w, s)

    @kernel
    def inputs(choices: Any, w: Any, s: Any) -> None:
        gradients_of_2(s)
        for i in range(0, 12 * PLANE_SD, 16):
            store(s + SD + i, splat(np.float32(0), 16))
        for plane in range(12):
            for slot in range(8):
                k = w + W2 + (plane * 8 + slot) * 25
                for parity in range(4):  # of the row and of the column, in the border: y = 2 i + py
                    py, px = parity // 2, parity % 2
                    place = s + SD + seen[plane, slot] * PLANE_SD + parity * 16
                    tile = load_tile(place, 4, 4)
                    for i in range(3 - py):
                        for j in range(3 - px):
                            tap = (2 * i + py) * 5 + 2 * j + px
                            vectors = (weight(choices, broadcast(k + tap, 4)),)
                            d = s + S2 + plane * PLANE_S2 + (2 - i) * 8 + (2 - j)
                            tile = outer_loads(tile, vectors, d, (0, 8, 16, 24))
                    store_tile(place, tile)
        gradients_of_1(s)

    @kernel
    def weights(s: Any, t: Any, scale: Any) -> None:
        times = splat(scale, 4)
        for plane in range(12):
            e = s + S2 + plane * PLANE_S2 + 9
            d = (load(e, 4), load(e + 8, 4), load(e + 16, 4), load(e + 24, 4))
            for slot in range(8):
                a = s + S1 + seen[plane, slot] * PLANE_S1
                u = t + W2 + (plane * 8 + slot) * 25
                for tap in range(0, 24, 4):
                    first = fold(met(d, a + TAPS[tap]), met(d, a + TAPS[tap + 1]))
                    second = fold(met(d, a + TAPS[tap + 2]), met(d, a + TAPS[tap + 3]))
                    increase(u + tap, times, fold(first, second))
                last = met(d, a + TAPS[24])
                last = fold(fold(last, last), last)
                increase(u + 24, splat(scale, 1), low(low(last)))

    return forward, inputs, weights
