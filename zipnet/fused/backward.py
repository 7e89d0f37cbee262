"""From the gradient of the outputs back to every weight, adding each gradient as it is finished.

Every function takes t, where the gradients go, and `scale`: t += scale * gradient. Per-example SGD
lets t be the weights themselves and scale = -lr, so that no gradient is ever stored; a batch lets t
be a sum and scale = 1. Gradients of activations are taken before the weights they need change.
Second derivatives (zipnet/reference.py) take the same way, with `squared` choices and s squared.

Vector operations per example, eight lanes each:

    phase             multiply-adds                  beside them
    outputs_back      2 x 10 x 4 = 80
    hidden_3_back     2 x 192 x 4 = 1,536            768 stores, 24 sums of eight
    hidden_2_inputs   289 x 3 x 2 x 2 = 3,468        192 folds; 289 = (3 + 5 + 5 + 4)^2 of the 400
                                                     taps lie inside H1, the others on its border
    hidden_2_weights  16 x 50 x 3 x 2 = 4,800        300 updates
    hidden_1_weights  32 x 25 x 3 = 2,400            75 updates
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zipnet.fused.compiling import chosen, inlined, kernel
from zipnet.fused.forward import PLANE_A1, ROW_A1, ROW_X, seen
from zipnet.fused.functions import fold_pairs, slope, sums, weight
from zipnet.fused.lanes import broadcast, fma, increase, load, splat, store
from zipnet.fused.layout import (
    A1,
    A2,
    A3,
    B1,
    B2,
    B3,
    BO,
    D1,
    D2,
    D3,
    DO,
    K2,
    P1,
    W1,
    W2,
    W3,
    WO,
    X,
)
from zipnet.fused.shuffles import doubled, high, interleaved, low, swapped
from zipnet.fused.tiles import load_tile, outer_loads, outer_pairs, zeros


@kernel
def outputs_back(choices: Any, w: Any, s: Any, t: Any, scale: Any, d: Any) -> None:
    """From d, the gradient before the output activation, to d3, the gradient of H3's sums.

    d3 = slope(a3) * (d @ wo)
    wo[r, n] += scale * d[r] * a3[n];  bo += scale * d;  b3 += scale * d3
    """
    times = splat(scale, 16)
    increase(t + BO, times, d)
    store(s + DO, d)
    a_low, a_high = load(s + A3, 16), load(s + (A3 + 16), 16)
    d_low, d_high = splat(np.float32(0), 16), splat(np.float32(0), 16)
    for r in range(10):
        here = broadcast(s + DO + r, 16)
        d_low = fma(here, weight(choices, load(w + WO + r * 32, 16)), d_low)
        d_high = fma(here, weight(choices, load(w + (WO + 16) + r * 32, 16)), d_high)
        increase(t + WO + r * 32, times * here, a_low)
        increase(t + (WO + 16) + r * 32, times * here, a_high)
    d_low, d_high = slope(choices, a_low, d_low), slope(choices, a_high, d_high)
    increase(t + B3, times, d_low)
    increase(t + (B3 + 16), times, d_high)
    store(s + D3, d_low)
    store(s + (D3 + 16), d_high)


@kernel
def hidden_3_back(choices: Any, w: Any, s: Any, t: Any, scale: Any, o: Any) -> None:
    """One sweep over 64 rows of w3: each row's share of the gradient of H2, then its update.

    d2[i] = slope(a2[i]) * sum over n of w3[i, n] * d3[n]
    w3[i, n] += scale * f2[i] * d3[n];  b2 += scale * d2

    The rows are those of one group o of H2 planes. Their gradients go to the two places in D2
    where the input groups that feed them look: the inverse of `FEEDS`, as in `finish_2`.
    """
    one, two = (0, 264, 8)[o], (256, 512, 520)[o]
    times = splat(scale, 8)
    d = load_tile(s + D3, 2, 16)
    step = (splat(scale, 16) * d[0], splat(scale, 16) * d[1])
    for i in range(8):
        first = o * 64 + i * 8
        k = w + W3 + first * 32
        u = t + W3 + first * 32
        f = s + seen(choices) + first
        total = sums(
            row_back(choices, k, u, f, d, step),
            row_back(choices, k + 32, u + 32, f + 1, d, step),
            row_back(choices, k + 64, u + 64, f + 2, d, step),
            row_back(choices, k + 96, u + 96, f + 3, d, step),
            row_back(choices, k + 128, u + 128, f + 4, d, step),
            row_back(choices, k + 160, u + 160, f + 5, d, step),
            row_back(choices, k + 192, u + 192, f + 6, d, step),
            row_back(choices, k + 224, u + 224, f + 7, d, step),
        )
        total = slope(choices, load(s + A2 + first, 8), through_dropout(choices, s, first, total))
        increase(t + B2 + first, times, total)
        twice = doubled(total)  # two positions x 4 planes x 2
        place = s + D2 + i * 32
        store(place + one, low(twice))
        store(place + (one + 16), high(twice))
        store(place + two, low(twice))
        store(place + (two + 16), high(twice))


@inlined
def row_back(choices: Any, k: Any, u: Any, f: Any, d: Any, step: Any) -> Any:
    """Eight partial sums of a row times d; the row's update."""
    near, far = weight(choices, load(k, 16)), weight(choices, load(k + 16, 16))
    both = fma(far, d[1], near * d[0])
    value = broadcast(f, 16)
    increase(u, value, step[0])
    increase(u + 16, value, step[1])
    return low(both) + high(both)


def through_dropout(choices: Any, s: Any, first: Any, d: Any) -> Any:
    """The gradient before dropout."""


@chosen(through_dropout)
def _through_dropout(choices: Any, s: Any, first: Any, d: Any) -> Any:
    if choices.value.dropout:
        return lambda choices, s, first, d: d * load(s + K2 + first, 8)
    return lambda choices, s, first, d: d


@kernel
def hidden_2_inputs_by_blocks(choices: Any, w: Any, s: Any) -> None:
    """d1[y, x] = sum over the taps (ky, kx) and positions (row, column) that meet there of d2 * w2

    y = 2 row + ky - 2, so a row of H1 meets every second ky only; likewise x. Four positions at
    a time, of one parity: even x meet kx = 0, 2, 4, odd x meet kx = 1, 3. Lanes are
    (j, h): output planes times two input planes, and `meet` sums over the output planes.
    """
    for g in range(3):
        for y in range(8):
            even, odd = zeros(8, 8), zeros(8, 8)  # 4 positions x 2 pairs of planes
            first, last = max(0, (y - 1) // 2), min(3, (y + 2) // 2)
            for row in range(first, last + 1):
                k = w + W2 + ((g * 5 + y + 2 - 2 * row) * 160)
                d = s + D2 + (g * 4 + row) * 64
                even = tap(choices, even[:6], k, d + 16, (0, 16, 32)) + even[6:]
                even = tap(choices, even, k + 64, d, (0, 16, 32, 48))
                even = even[:2] + tap(choices, even[2:], k + 128, d, (0, 16, 32))
            place = s + D1 + (g * 8 + y) * 32
            meet(place, even[0], even[1])
            meet(place + 8, even[2], even[3])
            meet(place + 16, even[4], even[5])
            meet(place + 24, even[6], even[7])
            for row in range(first, last + 1):
                k = w + W2 + ((g * 5 + y + 2 - 2 * row) * 160)
                d = s + D2 + (g * 4 + row) * 64
                odd = tap(choices, odd[:6], k + 32, d + 16, (0, 16, 32)) + odd[6:]
                odd = tap(choices, odd, k + 96, d, (0, 16, 32, 48))
            meet(place + 4, odd[0], odd[1])
            meet(place + 12, odd[2], odd[3])
            meet(place + 20, odd[4], odd[5])
            meet(place + 28, odd[6], odd[7])


@inlined
def tap(choices: Any, tile: Any, k: Any, d: Any, positions: Any) -> Any:
    """Both halves of the output planes of one tap, for two pairs of input planes."""
    near = weight(choices, load(k, 8)), weight(choices, load(k + 16, 8))
    far = weight(choices, load(k + 8, 8)), weight(choices, load(k + 24, 8))
    return outer_loads(outer_loads(tile, near, d, positions), far, d + 8, positions)


@inlined
def meet(place: Any, one: Any, two: Any) -> None:
    """Sum over the output planes: the gradient of a group's four planes at one position."""
    both = fold_pairs(one, two)
    store(place, low(both) + high(both))


@kernel
def hidden_2_weights_by_blocks(s: Any, t: Any, scale: Any) -> None:
    """w2[tap] += scale * sum over positions of d2[position] * a1[position moved by the tap]"""
    times = splat(scale, 16)
    for g in range(3):
        for ky in range(5):
            for part in range(2):  # half a row of the window: five pairs of planes
                tile = zeros(5, 16)
                for row in range(4):
                    a = s + A1 + g * PLANE_A1 + (2 * row + ky) * ROW_A1 + part * 10
                    d = s + D2 + (g * 4 + row) * 64
                    for column in range(4):
                        vectors = (load(d + 16 * column, 16),)
                        tile = outer_pairs(tile, vectors, a + 8 * column, (0, 2, 4, 6, 8))
                u = t + W2 + (g * 5 + ky) * 160 + part * 80
                increase(u, times, tile[0])
                increase(u + 16, times, tile[1])
                increase(u + 32, times, tile[2])
                increase(u + 48, times, tile[3])
                increase(u + 64, times, tile[4])


@kernel
def hidden_1_sums(choices: Any, s: Any, t: Any, scale: Any) -> None:
    """d1 = slope(a1) * d1;  b1 += scale * d1;  and d1 in the order that `hidden_1_weights` reads"""
    times = splat(scale, 8)
    for g in range(3):
        for row in range(8):
            for i in range(4):
                place = (g * 8 + row) * 32 + i * 8
                a = s + (A1 + 2 * ROW_A1 + 8) + g * PLANE_A1 + row * ROW_A1 + i * 8
                d = slope(choices, load(a, 8), load(s + D1 + place, 8))
                increase(t + B1 + place, times, d)
                store(s + P1 + (row * 4 + i) * 24 + g * 8, interleaved(d))


@kernel
def hidden_1_weights(s: Any, t: Any, scale: Any) -> None:
    """w1[tap] += scale * sum over positions of d1[position] * x[position moved by the tap]"""
    x = s + X
    u = t + W1
    for ky in range(5):  # kx = 0, 2, 4
        tile = column_sums(zeros(9, 8), s, x + ky * ROW_X, (0, 1, 2))
        update_1(u + ky * 120, scale, tile[0], tile[1], tile[2])
        update_1(u + ky * 120 + 48, scale, tile[3], tile[4], tile[5])
        update_1(u + ky * 120 + 96, scale, tile[6], tile[7], tile[8])
    for ky in range(0, 4, 2):  # kx = 1, 3 of two rows of taps
        tall = column_sums(zeros(12, 8), s, x + ky * ROW_X + 16, (0, 1, 32, 33))
        update_1(u + ky * 120 + 24, scale, tall[0], tall[1], tall[2])
        update_1(u + ky * 120 + 72, scale, tall[3], tall[4], tall[5])
        update_1(u + ky * 120 + 144, scale, tall[6], tall[7], tall[8])
        update_1(u + ky * 120 + 192, scale, tall[9], tall[10], tall[11])
    flat = column_sums(zeros(6, 8), s, x + 4 * ROW_X + 16, (0, 1))
    update_1(u + 504, scale, flat[0], flat[1], flat[2])
    update_1(u + 552, scale, flat[3], flat[4], flat[5])


@inlined
def column_sums(tile: Any, s: Any, x: Any, taps: Any) -> Any:
    """For some taps: sum over all positions, two at a time, of d1 * x."""
    for row in range(8):
        for i in range(4):
            d = load_tile(s + P1 + (row * 4 + i) * 24, 3, 8)
            tile = outer_pairs(tile, d, x + row * (2 * ROW_X) + 2 * i, taps)
    return tile


@inlined
def update_1(u: Any, scale: Any, one: Any, two: Any, three: Any) -> None:
    """One tap: both halves of a pair hold half of the sum, and both copies get the whole."""
    times = splat(scale, 8)
    increase(u, times, one + swapped(one))
    increase(u + 8, times, two + swapped(two))
    increase(u + 16, times, three + swapped(three))
