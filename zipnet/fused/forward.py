"""From an image to ten outputs: each phase beside its plain form, where tanh stands for whichever
activation was chosen.

Vector operations per example, eight lanes each (16-lane values count as two):

    phase      multiply-adds               loads a multiply-add
    hidden_1   8 x 25 x 4 x 3 = 2,400      7 / 12      a row of eight positions in 12 accumulators
    hidden_2   16 x 50 x 3 x 2 = 4,800     6 / 8       a row of four positions in 8 accumulators
    hidden_3   192 x 4 = 768               5 / 4       three rows at a time in 12 accumulators
    outputs    10 x 4 = 40
    tanh       96 + 24 + 4 + 2 = 126 evaluations

A core that starts two multiply-adds and two loads a cycle, and takes four cycles for each
multiply-add, needs eight independent accumulators and at most one load for each multiply-add; both
conditions choose the tiles. Pointers are to float32: w weights, s working values of one example.
"""

from __future__ import annotations

from typing import Any

from zipnet.fused.compiling import chosen, kernel
from zipnet.fused.functions import activate, answer, fold, sums
from zipnet.fused.lanes import fill, fma, load, store
from zipnet.fused.layout import A1, A2, A3, AO, B1, B2, B3, BO, D2, F2, W1, W2, W3, WO, X, Y
from zipnet.fused.shuffles import evens, high, join, low, odds, parted
from zipnet.fused.tiles import load_tile, outer_pairs, outer_values, store_tile, zeros

ROW_X = 32  # floats from one row of X to the next
ROW_A1 = 48  # floats from one row of A1 to the next
PLANE_A1 = 576  # floats from one group of A1 to the next


@kernel
def place_input(s: Any, x: Any, stride: Any) -> None:
    """Copy an image, rows `stride` floats apart, into its border of -1, even and odd columns apart.

    padded[row + 2, column + 2] = x[row, column]
    """
    for row in range(16):
        pixels = load(x + row * stride, 16)
        inside = s + (X + 1) + (row + 2) * ROW_X
        store(inside, evens(low(pixels), high(pixels)))
        store(inside + 16, odds(low(pixels), high(pixels)))


@kernel
def place_target(s: Any, y: Any) -> None:
    """Copy the ten targets to where sixteen floats can be loaded."""
    store(s + Y, load(y, 8))
    store(s + (Y + 8), load(y + 8, 2))


@kernel
def hidden_1(choices: Any, w: Any, s: Any) -> None:
    """For each row, column, plane:  a1 = tanh(b1 + sum over taps of w1 * x)"""
    for row in range(8):
        tile = zeros(12, 8)  # 4 pairs of positions x 3 groups of planes
        for ky in range(5):
            x = s + X + (2 * row + ky) * ROW_X
            k = w + W1 + ky * 120
            # kx = 0, 1, 2, 3, 4: even columns, then odd ones, from the kx // 2-th on
            tile = outer_pairs(tile, load_tile(k, 3, 8), x, (0, 2, 4, 6))
            tile = outer_pairs(tile, load_tile(k + 24, 3, 8), x, (16, 18, 20, 22))
            tile = outer_pairs(tile, load_tile(k + 48, 3, 8), x, (1, 3, 5, 7))
            tile = outer_pairs(tile, load_tile(k + 72, 3, 8), x, (17, 19, 21, 23))
            tile = outer_pairs(tile, load_tile(k + 96, 3, 8), x, (2, 4, 6, 8))
        b = w + B1 + row * 32
        a = s + (A1 + 2 * ROW_A1 + 8) + row * ROW_A1
        finish_1(choices, tile[0], b, a)
        finish_1(choices, tile[1], b + 256, a + PLANE_A1)
        finish_1(choices, tile[2], b + 512, a + 2 * PLANE_A1)
        finish_1(choices, tile[3], b + 8, a + 8)
        finish_1(choices, tile[4], b + 264, a + (PLANE_A1 + 8))
        finish_1(choices, tile[5], b + 520, a + (2 * PLANE_A1 + 8))
        finish_1(choices, tile[6], b + 16, a + 16)
        finish_1(choices, tile[7], b + 272, a + (PLANE_A1 + 16))
        finish_1(choices, tile[8], b + 528, a + (2 * PLANE_A1 + 16))
        finish_1(choices, tile[9], b + 24, a + 24)
        finish_1(choices, tile[10], b + 280, a + (PLANE_A1 + 24))
        finish_1(choices, tile[11], b + 536, a + (2 * PLANE_A1 + 24))


@kernel
def finish_1(choices: Any, total: Any, b: Any, a: Any) -> None:
    """Two neighbouring positions of a group: from (j, h) to channels last, bias, activation."""
    store(a, activate(choices, parted(total) + load(b, 8)))


@kernel
def hidden_2_by_blocks(choices: Any, w: Any, s: Any) -> None:
    """For each position, plane:  a2 = tanh(b2 + sum over taps and the 8 planes it sees of w2 * a1)

    A row of the 5x5 window is ten pairs of neighbouring planes in memory, and so are its weights.
    The sums over the three input groups are kept apart, in the place of D2, until `finish_2`.
    """
    for g in range(3):
        for row in range(4):
            tile = zeros(4, 16)  # 4 positions; 8 planes x 2 halves of a pair
            for ky in range(5):
                a = s + A1 + g * PLANE_A1 + (2 * row + ky) * ROW_A1
                k = w + W2 + (g * 5 + ky) * 160
                for i in range(10):
                    vectors = (load(k + 16 * i, 16),)
                    tile = outer_pairs(tile, vectors, a + 2 * i, (0, 8, 16, 24))
            store_tile(s + D2 + (g * 4 + row) * 64, tile)
    finish_2(choices, w, s, 0, 0, 256)  # FEEDS: group 0 from input groups 0, 1
    finish_2(choices, w, s, 1, 264, 512)  # group 1 from 1, 2
    finish_2(choices, w, s, 2, 8, 520)  # group 2 from 0, 2


@kernel
def finish_2(choices: Any, w: Any, s: Any, o: Any, one: Any, two: Any) -> None:
    """Add the sums of the two input groups and of the two halves of the pairs; bias, activation."""
    for i in range(8):
        t = s + D2 + i * 32
        here = load(t + one, 8) + load(t + two, 8)
        there = load(t + (one + 16), 8) + load(t + (two + 16), 8)
        place = o * 64 + i * 8
        store(s + A2 + place, activate(choices, fold(here, there) + load(w + B2 + place, 8)))


@kernel
def hidden_3(choices: Any, w: Any, s: Any) -> None:
    """a3 = tanh(b3 + f2 @ w3), where f2 is H2 after dropout"""
    one, two, three = zeros(2, 16), zeros(2, 16), zeros(2, 16)
    for i in range(0, 192, 3):
        a = s + seen(choices) + i
        k = w + W3 + i * 32
        one = outer_values(one, load_tile(k, 2, 16), a, (0,))
        two = outer_values(two, load_tile(k + 32, 2, 16), a, (1,))
        three = outer_values(three, load_tile(k + 64, 2, 16), a, (2,))
    for_low = one[0] + two[0] + three[0] + load(w + B3, 16)
    for_high = one[1] + two[1] + three[1] + load(w + (B3 + 16), 16)
    store(s + A3, activate(choices, for_low))
    store(s + (A3 + 16), activate(choices, for_high))


def seen(choices: Any) -> Any:
    """Where H3 finds what it sees of H2."""


@chosen(seen)
def _seen(choices: Any) -> Any:
    place = F2 if choices.value.dropout else A2
    return lambda choices: place


@kernel
def outputs(choices: Any, w: Any, s: Any) -> None:
    """Plainly: out = tanh(bo + wo @ a3)"""
    a = load_tile(s + A3, 2, 16)
    k = w + WO
    first = sums(
        dot(a, k), dot(a, k + 32), dot(a, k + 64), dot(a, k + 96),
        dot(a, k + 128), dot(a, k + 160), dot(a, k + 192), dot(a, k + 224),
    )  # fmt: skip
    nothing = fill(first, 0.0)
    last = fold(fold(fold(dot(a, k + 256), dot(a, k + 288)), nothing), nothing)
    store(s + AO, answer(choices, join(first, last) + load(w + BO, 16)))


@kernel
def dot(a: Any, k: Any) -> Any:
    """Eight partial sums of a (32 lanes) times the 32 floats at k."""
    both = fma(a[1], load(k + 16, 16), a[0] * load(k, 16))
    return low(both) + high(both)
